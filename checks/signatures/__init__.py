"""Signatures of files and PDFs, read as pure functions over bytes; whom to trust is asked apart.

    detached.raw_signature, detached.cms_signatures   who signed these bytes (Ed25519, CMS)
    pdf.read_pdf                                      who signed which bytes of a PDF
    pades.validate                                    the same by pyHanko, when it is installed
    declared.trust_requests, declared.read_trust      whom the inventory names, as evidence
    trust.judge                                       what is known of who made a signature
    writing.raw_file, writing.cms_file                make a signature

A signature that holds proves which bytes some key signed; only `trust.judge` tells whose key it is.
"""
