"""The annual cybersecurity report, Form 08 of Decree 331/2026, from the results of a scan.

`build` makes the one value `Form08` and is the only place that counts; `to_docx` and `to_xlsx` show
it. The form's own words and fixed values are data in `form.yaml`.
"""
