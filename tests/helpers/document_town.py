"""A ward's project with every kind of document source, full of words that must not be kept."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

from tests.helpers import packets, x_road
from tests.helpers.canaries import Canaries
from tests.helpers.correspondence import (
    GATEWAY_HEAD,
    NOW,
    REGISTER_HEAD,
    Mail,
    daily_mails,
    log,
    stamp,
)

SIGN = "QĐ-UBND-HK"
DAYS = [dt.date(2026, 10, 15) + dt.timedelta(days=n) for n in range(37)]
AT = "2026-11-10T09:00:00"
DAY = "10/11/2026"
BY_LOG = {"postfix": 201, "amavis": 202, "exim": 203, "exchange": 204, "zimbra": 205}
BY_LOG["filter"] = 211
"""Through an Amavis that writes a file of its own."""
BY_BOX = {"eml": 208, "maildir": 209, "mbox": 210}
BY_MAIL = BY_LOG | BY_BOX
SECRET = 206
INVENTORY = """
unit: "00070"
name: Phường Hoàn Kiếm
kind: ward
documents:
  signs: [UBND-HK]
  register: {path: register.csv}
  incoming: {path: incoming.csv}
  postal: {path: postal.csv}
  gateway: {path: gateway.csv}
  received: {path: received.csv}
  packets: {path: "packets/*.edxml"}
  x_road: {path: x-road.json}
  mail:
    - {kind: postfix, path: mail.log}
    - {kind: exim, path: mainlog}
    - {kind: exchange, path: MSGTRK.LOG}
    - {kind: zimbra, path: mailbox.log}
    - {kind: amavis, path: amavis.log}
  mailboxes:
    - {kind: eml, path: "boxes/*.eml", order: ORDER}
    - {kind: maildir, path: boxes/sent, order: ORDER}
    - {kind: mbox, path: boxes/sent.mbox, order: ORDER}
  proxy: [{kind: squid, path: access.log}]
""".replace(
    "ORDER",
    "{document: 7/QĐ-UBND, date: 2026-11-01, by: Chủ tịch, purpose: Kiểm tra, until: 2027-12-31}",
)
AGENCIES = (
    "code,old_code,name,mail_domains,signs\n"
    "H26.1.2,,UBND phường Hoàn Kiếm,hoankiem.gov.vn,UBND-HK\nH26.5,,Sở Y tế,soyte.gov.vn,SYT\n"
)


class Town:
    """A project whose every source is full of words that must not be kept."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.word = folder, Canaries()
        (folder / "inventory").mkdir(parents=True)
        (folder / "packets").mkdir()
        self.write("sauro.yaml", "{}\n")
        self.write("inventory/ward.yaml", INVENTORY)
        self.write("agencies.csv", AGENCIES)
        self.registers()
        self.axis()
        self.mails()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))

    def registers(self) -> None:
        word = self.word
        body = [REGISTER_HEAD]
        rows = [(n, f"{d:%d/%m/%Y}", "") for n, d in enumerate(DAYS, 1)]
        rows += [(n, DAY, "") for n in BY_MAIL.values()] + [(SECRET, DAY, "MAT"), (207, DAY, "")]
        for n, day, reason in rows:
            people = f"ông {word('citizen')} Văn A; UBND các phường (bà {word('group')}); "
            people += f"UBND các xã đ/c {word('comrade')}"
            body.append(
                f"{n}/{SIGN},{day},Quyết định về {word('abstract')},{word('signer')},"
                f'"Sở Y tế; {people}",{word("note")},{reason}\n'
            )
        self.write("register.csv", "".join(body))
        self.write(
            "incoming.csv",
            "Ngày đến,Số đến,Tác giả,Số ký hiệu,Ngày tháng,Trích yếu,Người nhận\n"
            f"{DAY},1,Sở Y tế,7/BC-SYT,{DAY},{word('incoming abstract')},{word('receiver')}\n"
            f"{DAY},2,bà {word('author')} Thị B,9/BC-SYT,{DAY},{word('petition')},x\n",
        )
        self.write(
            "postal.csv",
            "Ngày chuyển,Số ký hiệu,Nơi nhận,Số lượng bì,Ký nhận,Ghi chú\n"
            f'{DAY},207/{SIGN},"Sở Y tế; bà {word("postal recipient")}",1,{word("postman")},'
            f"{word('postal note')}\n",
        )

    def axis(self) -> None:
        word = self.word
        said = f"{word('title')},1,{word('document id')}"
        rows = [
            f"H26.1.2,H26.5,{n}/{SIGN},{said},{d} 15:00:00,,sent,03\n"
            for n, d in enumerate(DAYS, 1)
        ]
        self.write("gateway.csv", GATEWAY_HEAD + "".join(rows))
        head = "Id,From,ContentLength,ContentSha256,CreatedTime,UpdatedTime,Status,StatusDesc,"
        self.write(
            "received.csv",
            f"{head}MessageType,VersionSdk\n17,H26.5,5120,{'ab' * 32},2026-11-09 08:00:00,"
            f"2026-11-09 08:01:00,done,{word('status text')},edoc,2.0.1\n"
            f"18,Bà {word('sending person')},9,{'cd' * 32},2026-11-09 08:00:00,,done,x,edoc,2\n",
        )
        packet = packets.document(
            "7", "BC-SYT", sender="H26.5", to=["H26.1.2"], files=[packets.PDF]
        )
        for said in ("Cơ quan", "a@b.gov.vn", "V/v lịch họp", "Nguyễn Văn A", "Quyết định.pdf"):
            packet = packet.replace(said, f"{said[:2]}{word('packet ' + said)}")
        self.write("packets/in.edxml", packet)
        faulty = x_road.call("2026-11-12T10:00:00", x_road.NETWORK)
        faulty["faultString"] = f"lỗi {word('fault')}"
        calls = [x_road.call(f"{d}T10:00:00") for d in DAYS] + [faulty]
        self.write("x-road.json", json.dumps(calls))

    def mail(self, name: str, kind: str, **more: str) -> Mail:
        word = self.word
        # Zimbra logs no subjects, Exchange no names.
        subject = "" if kind == "zimbra" else word(f"{kind} subject")
        named = "" if kind == "exchange" else word(f"{kind} attachment")
        return Mail(
            AT,
            f"Gửi {subject} {BY_MAIL[name]}/{SIGN}",
            sender=f"{word(kind + ' sender')}@hoankiem.gov.vn",
            to=(f"{word(kind + ' recipient')}@soyte.gov.vn",),
            names=(f"{BY_MAIL[name]}-QD-UBND-HK {named}.pdf",),
            queue=more.get("queue", ""),
        )

    def mails(self) -> None:
        word = self.word
        marked = Mail(
            "2026-11-11T09:00:00", f"MẬT {SECRET}/{SIGN} {word('secret subject')}",
            to=(f"{word('secret recipient')}@soyte.gov.vn",), queue="4PbC4z6W5Qz3tX1",
        )  # fmt: skip
        postfix = [log(*daily_mails(), self.mail("postfix", "postfix"), marked), self.amavis()]
        postfix.append(self.zimbra())
        self.write("mail.log", "".join(postfix).replace("helo=<pc-7>", f"helo=<{word('helo')}>"))
        self.exim()
        self.exchange()
        self.boxes()
        self.proxy()

    def message(self, kind: str) -> str:
        """A sent message; its headers speak of people, its body of what it is about."""
        word = self.word
        name = f"{BY_BOX[kind]}-QD-UBND-HK {word(kind + ' attachment')}.pdf"
        return (
            f"From: {word(kind + ' display')} Văn A <{word(kind + ' sender')}@hoankiem.gov.vn>\n"
            f"To: {word(kind + ' addressee')} <{word(kind + ' recipient')}@soyte.gov.vn>\n"
            f"Subject: Gửi {word(kind + ' subject')}\nDate: Tue, 10 Nov 2026 09:00:00 +0700\n"
            f"Message-ID: <{word(kind + ' message id')}@pc-7>\nMIME-Version: 1.0\n"
            'Content-Type: multipart/mixed; boundary="b1"\n\n'
            f"--b1\nContent-Type: text/plain; charset=utf-8\n\nKính gửi {word(kind + ' body')}\n"
            f'--b1\nContent-Type: application/pdf; name="{name}"\n'
            f'Content-Disposition: attachment; filename="{name}"\n'
            f"Content-Transfer-Encoding: base64\n\n{'QUJD' * 12_000}\n--b1--\n"
        )

    def boxes(self) -> None:
        """Exported mails are called by their subjects."""
        word = self.word
        (self.folder / "boxes" / "sent" / "cur").mkdir(parents=True)
        self.write(f"boxes/{word('eml file name')}.eml", self.message("eml"))
        self.write("boxes/sent/cur/1794272400.M1P1.mx:2,S", self.message("maildir"))
        opening = f"From {word('mbox opening')}@hoankiem.gov.vn Tue Nov 10 09:00:00 2026\n"
        self.write("boxes/sent.mbox", f"{opening}{self.message('mbox')}\n")

    def proxy(self) -> None:
        word = self.word
        time = dt.datetime.fromisoformat(f"{AT}+07:00").timestamp()
        self.write(
            "access.log",
            f"{time:.3f}   1204 {word('desk')} TCP_MISS/200 5120 POST "
            f"http://mail.google.com/{word('address asked for')} {word('proxy login')} "
            "HIER_DIRECT/203.0.113.9 - 25000000\n",
        )

    def amavis(self) -> str:
        mta, told = self.filtered("filter", "4PbC4z6W5Qz3tF1")
        self.write("amavis.log", told)
        bare, told = self.filtered("amavis", "4PbC4z6W5Qz3tG1")
        begun, end = bare.splitlines(keepends=True)[:3], bare.splitlines(keepends=True)[3:]
        return "".join([mta, *begun, told, *end])

    def filtered(self, kind: str, queue: str) -> tuple[str, str]:
        """What Postfix and what Amavis say of one mail."""
        mail = self.mail(kind, kind, queue=queue)
        when, said = stamp(mail.at), self.word
        task = f"{when} mx amavis[4312]: (04312-07)"
        top, name = "P=p003,L=1,M=multipart/mixed", mail.names[0]
        part = f"{top} | P=p002,L=1/2,M=application/pdf,T=pdf,N={name}"
        named = f'{task} p.path {mail.to[0]}: "{part}"\n'
        passed = (
            f"{task} Passed CLEAN {{RelayedOutbound}}, LOCAL [10.0.7.21]:40312 [10.0.7.21] "
            f"ESMTP/ESMTP <{mail.sender}> -> <{mail.to[0]}>, Queue-ID: {mail.queue}, "
            f"Message-ID: <{said(kind + ' message id')}@pc-7>, mail_id: vQ7bT2z, b: FvXh3x0-k, "
            f"Hits: -0.999, size: 251034, queued_as: {queue[:-1]}3, "
            f'Subject: "{mail.subject}", From: "{said(kind + " display name")}"_<{mail.sender}>, '
            "helo=pc-7, 712 ms\n"
        )
        begun, end = [*mail.opened(), *mail.queued()], [mail.delivery(mail.to[0]), mail.removed()]
        return "".join([*begun, *end]), named + passed

    def zimbra(self) -> str:
        mail, word = self.mail("zimbra", "zimbra", queue="4PbC4z6W5Qz3tZ1"), self.word
        message = f"1786.{word('zimbra message id')}@hoankiem.gov.vn"
        upload = (
            "Upload: { accountId=4f3e-11, time=Tue Nov 10 08:00:00 ICT 2026, size=250000, "
            f"uploadId=aa:bb, name={mail.names[0]}, path=/opt/{word('zimbra path')}/up_1.upload }}"
        )
        thread = "qtp509886383-1207:https://mail:443/service/soap/SendMsgRequest"
        self.write(
            "mailbox.log",
            f"{mail.at:%Y-%m-%d %H:%M:%S},000 INFO  [{thread}] [name={mail.sender};mid=12;"
            f"ip=10.0.7.21;port=40312;ua=ZimbraWebClient - GC119 (Win)/8.8.15;] "
            f"smtp - Sending message to MTA at localhost, port 25: Message-ID=<{message}>, "
            f"origMsgId=1203, replyType=w, uploads=[{upload}], size=341000, sender={mail.sender}, "
            f"nrcpts=1, to={mail.to[0]}\n",
        )
        opened = [line.replace(f"{mail.queue}@pc-7", message) for line in mail.opened()]
        rest = [*mail.queued(), mail.delivery(mail.to[0]), mail.removed()]
        return "".join([*opened, *rest])

    def exim(self) -> None:
        mail, word = self.mail("exim", "exim"), self.word
        head = f"{mail.at:%Y-%m-%d %H:%M:%S} 1xUynw-0004ZS-21"
        self.write(
            "mainlog",
            f"{head} att=[{mail.names[0]}]\n"
            f"{head} <= {mail.sender} H=({word('exim helo')}) [10.0.7.21] P=esmtpsa X=TLS1.3 "
            f"A=plain:{word('exim login')} S=250000 id={word('exim message id')}@pc-7 "
            f'T="{mail.subject}" from <{mail.sender}> for {mail.to[0]}\n'
            f"{head} => {mail.to[0]} R=dnslookup T=remote_smtp H=mx.soyte.gov.vn [10.9.9.9]\n"
            f"{head} Completed\n",
        )

    def exchange(self) -> None:
        mail, word = self.mail("exchange", "exchange"), self.word
        fields = (
            "date-time,client-hostname,event-id,message-id,network-message-id,recipient-address,"
            "total-bytes,message-subject,sender-address,return-path,custom-data"
        )
        row = (
            f"2026-11-10T02:00:02.123Z,{word('exchange host')},SENDEXTERNAL,"
            f"<{word('exchange message id')}@x>,13fad5b7-39c5-46e7-130e-08d4a138ac67,{mail.to[0]},"
            f'250000,"{mail.subject}",{mail.sender},{mail.sender},{word("exchange data")}'
        )
        head = "\ufeff#Software: Microsoft Exchange Server\r\n#Version: 15.02\r\n"
        self.write("MSGTRK.LOG", f"{head}#Fields: {fields}\r\n{row}\r\n")
