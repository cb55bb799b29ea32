"""Logs Insights: a part of its query language works as AWS documents it; the rest is refused by name.

Commands: fields, display, filter, parse, stats (count, sum of whole numbers, min, max), sort, limit. In filters: = !=
< <= > >= like in and or not, ispresent(). Not supported: other functions and arithmetic, bin(), avg(), several stats,
dedup, pattern, diff and the other commands.

Decided here, where AWS's guide says nothing: without sort, the latest events come first. A query whose result would
depend on how AWS treats missing fields, booleans or nulls (for example ``!=`` with a field that some events don't have)
is refused, and the error names the field.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""
