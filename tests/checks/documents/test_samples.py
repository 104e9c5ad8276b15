"""What `sauro documents sample` prints: complete, in both languages, and of this inventory."""

from __future__ import annotations

import re

import pytest
import yaml

from checks.documents.mail_logs import MAIL_KINDS
from checks.documents.samples import PRODUCTS, sample, settings
from inventory.document_docs import DocumentsDoc, MailDoc
from scanner.cli.main import main


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_product_says_everything(product: str, language: str) -> None:
    text = sample(product, language)
    heads = {
        "vi": ("được phê duyệt", "Sẽ thấy được", "Vẫn không thấy", "Cách gỡ bỏ", "Khai báo"),
        "en": (
            "must be approved",
            "becomes visible",
            "stays invisible",
            "How to undo",
            "inventory",
        ),
    }[language]
    assert all(h in text for h in heads)
    assert "{" not in re.sub(r"\{kind:[^}]*\}|\$\{if [^}]*\}", "", text)
    # What is to be typed stands on lines of its own, whole.
    commands = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    assert any(re.match(r"(su - |systemctl|postfix|update-exim4|Set-)", c) for c in commands[-6:])
    for path, said in settings(product).items():
        assert path in text
        assert all(line in text for line in said.splitlines())
    assert not re.search(r"[^\S\n]\n", text)


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_is_to_be_declared_is_read_by_this_version(product: str) -> None:
    declared = sample(product, "en").rpartition("inventory:\n\n")[2]
    mail = yaml.safe_load(declared)["documents"]["mail"]
    assert set(DocumentsDoc.__struct_fields__) >= {"mail"}
    for source in mail:
        assert set(source) <= set(MailDoc.__struct_fields__)
        assert source["kind"] in MAIL_KINDS


def test_zimbra_gets_the_rules_that_run_in_a_real_postfix() -> None:
    ours = settings("postfix")["/etc/postfix/routing_header_checks.pcre"]
    assert list(settings("zimbra").values()) == [ours]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["documents", "sample", "--product", "postfix", "--language", "vi"]) == 0
    out = capsys.readouterr().out
    assert out == sample("postfix", "vi")
    assert main(["documents", "sample", "--language", "en"]) == 0
    out = capsys.readouterr().out
    assert all(sample(p, "en").rstrip() in out for p in PRODUCTS)
    assert main(["documents", "sample", "--product", "sendmail"]) == 64
    assert "postfix-amavis" in capsys.readouterr().err
