"""The server: one process, its HTTP, and one reading of each request.

::

    process.py       the process of one lab: starts everything, serves, ends everything
    http.py          connections, and the bytes of a request
    envelope.py      the request as it came: method, path, query, headers, each of them once
    claims.py        who says that they signed it, and how
    signatures.py    whether they did
    chunks.py        bodies that come, and are signed, in chunks
    forms.py         S3's upload forms, and their policies
    models.py        AWS's models of the services, from botocore
    reading.py       which operation with which parameters: a `Call`, and the request that moto is given
    query.py jsons.py rest.py s3.py    … as each protocol writes it
    answers.py       answers, and errors as each service's SDKs read them
    application.py   all of it together, moto, and the saving of what changed
"""
