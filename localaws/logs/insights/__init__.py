"""Logs Insights: a part of its query language, which is answered as AWS documents it; the rest is refused by name.

Commands: fields, display, filter, parse, stats (count, sum of whole numbers, min, max), sort, limit. In filters: = !=
< <= > >= like in and or not, ispresent(). Not there: other functions and arithmetic, bin(), avg(), several stats,
dedup, pattern, diff and the others.

Decided here, where AWS's guide says nothing: without sort the latest events come first. What would depend on how AWS
treats missing fields, booleans or nulls (``!=`` of a field that some events don't have, say) is refused, and the
refusal names the field.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""
