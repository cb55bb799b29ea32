"""The HTTP side of SNS: moto's parsing, and Subscribe as all or nothing."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.sns.responses import SNSResponse

from localaws.sns.models import LocalSNSBackend


class LocalSNSResponse(SNSResponse):
    """Answers SNS's requests."""

    @property
    def backend(self) -> LocalSNSBackend:
        """The backend of the caller's account and region."""
        found = super().backend
        assert isinstance(found, LocalSNSBackend)
        return found

    def get_topic_attributes(self) -> ActionResult:
        """https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html"""
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        # moto never updates this number.
        topic.subscriptions_confimed = len(self.backend._get_topic_subscriptions(topic))
        return super().get_topic_attributes()

    def subscribe(self) -> ActionResult:
        """https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html: with all its attributes, or not at all."""
        topic, protocol, endpoint = (self._get_param(name) for name in ("TopicArn", "Protocol", "Endpoint"))
        if (known := self.backend._find_subscription(topic, endpoint, protocol)) is not None:
            self.backend.check_same(known, self._get_attributes())
            return ActionResult({"SubscriptionArn": known.arn})
        before = set(self.backend.subscriptions)
        try:
            return super().subscribe()
        except Exception:
            for arn in set(self.backend.subscriptions) - before:
                self.backend.unsubscribe(arn)
            raise
