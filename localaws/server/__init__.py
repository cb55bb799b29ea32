"""The server: one process, its HTTP side, and the parsing of each request, which is done once.

::

    process.py       the process of one lab: starts everything, serves, ends everything
    http.py          connections, and the bytes of a request
    envelope.py      the request as it came: method, path, query, headers, without duplicates
    claims.py        the signature that a request claims to have
    signatures.py    whether that signature is right
    chunks.py        bodies that come, and are signed, in chunks
    forms.py         S3's upload forms, and their policies
    models.py        AWS's models of the services, from botocore
    reading.py       which operation with which parameters: a `Call`, and the request for moto
    query.py jsons.py rest.py s3.py    … in each protocol
    answers.py       answers, and errors in the format of each service's SDKs
    application.py   all of these together, moto, and the saving of changes
"""
