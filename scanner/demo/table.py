"""The table that the demo prints: what was planted beside what the scan found."""

from __future__ import annotations

from scanner.demo.truth import Differences, Line, describe

_LABELS: dict[str, tuple[str, str]] = {
    "": ("Không cài lỗi (phải đạt)", "Nothing planted (must pass)"),
    "host.down": ("Máy chủ ngừng hoạt động", "Server is down"),
    "host.changed_key": ("Khóa máy chủ bị đổi", "Server's key changed"),
    "host.refuses": ("Máy chủ từ chối đăng nhập", "Server refuses the login"),
    "host.hangs": ("Máy chủ treo", "Server hangs"),
    "host.floods": ("Máy chủ tuôn dữ liệu vô tận", "Server floods"),
    "host.drops": ("Đường truyền đứt giữa chừng", "Connection drops midway"),
    "host.skewed": ("Đồng hồ máy chủ sai", "Server's clock is wrong"),
    "level.unassessed": ("Chưa xác định cấp độ", "Level never assessed"),
    "level.lost_record": ("Mất hồ sơ cấp độ", "Level record is missing"),
    "level.draft": ("Hồ sơ cấp độ chưa phê duyệt", "Level proposed, not approved"),
    "level.wrong_authority": ("Phê duyệt sai thẩm quyền", "Approved by the wrong authority"),
    "level.regulation_late": ("Quy chế ban hành sau phê duyệt", "Regulation after the approval"),
    "level.review_overdue": ("Quá hạn rà soát cấp độ", "Level review is overdue"),
    "level.too_low": ("Cấp độ thấp hơn tiêu chí", "Level below its criteria"),
    "level.dates_swapped": ("Phê duyệt trước khi thẩm định", "Approved before appraised"),
    "level.changed_since": ("Thay đổi sau phê duyệt", "Changed since the approval"),
    "level.dossier_altered": ("Tệp hồ sơ bị sửa", "Dossier file altered"),
    "level.plan_partly": ("Phương án mới triển khai một phần", "Plan partly carried out"),
    "level.plan_lapsed": ("Xác nhận biện pháp hết hiệu lực", "Word on a measure has lapsed"),
    "totals.wrong": ("Số liệu báo cáo không khớp", "Reported figures do not agree"),
    "words.lapsed": ("Xác nhận tập huấn hết hiệu lực", "Word on training has lapsed"),
    "words.silent": ("Không ai xác nhận", "Nobody attests anything"),
    "level.old_law": ("Phê duyệt theo quy định cũ", "Approved under the old law"),
    "level.claimed_low": ("Khai cấp độ thấp hơn hồ sơ", "Claimed below the record"),
    "seal.forged": ("Hồ sơ bị sửa sau khi ký", "Record altered after signing"),
    "seal.stranger": ("Hồ sơ do người lạ ký", "Record signed by a stranger"),
    "decision.altered": ("Quyết định PDF bị sửa sau khi ký", "Decision PDF altered after signing"),
    "decision.scanned": ("Quyết định chỉ là bản chụp", "Decision is a scan only"),
    "seal.unsigned": ("Hồ sơ chưa ký số", "Record not signed"),
    "backup.undeclared": ("Không khai báo sao lưu", "No backup declared"),
    "backup.stale": ("Sao lưu dừng đã lâu", "Backups stopped days ago"),
    "backup.one_gap": ("Thiếu một đêm sao lưu", "One night is missing"),
    "backup.two_gaps": ("Thiếu hai đêm liên tiếp", "Two nights in a row are missing"),
    "backup.shrunken": ("Bản sao lưu nhỏ bất thường", "Newest copy shrank"),
    "backup.collapsed": ("Bản sao lưu gần như rỗng", "Newest copies nearly vanished"),
    "backup.empty": ("Tệp nén rỗng", "Empty archives"),
    "backup.cut": ("Bản kết xuất bị cắt cụt", "Dumps cut short"),
    "backup.never": ("Chưa từng sao lưu", "Never backed up"),
    "backup.no_folder": ("Không có thư mục sao lưu", "Backup folder is missing"),
    "backup.never_restored": ("Chưa từng khôi phục thử", "Never restored"),
    "backup.no_rule": ("Không có quy định sao lưu", "No backup rule"),
    "backup.same_host": ("Bản sao nằm trên chính máy chủ", "Copies on the server itself"),
    "backup.plain_files": ("Cấp độ 3 chỉ lưu tệp thường", "Level 3 kept as plain files"),
    "documents.bypass": ("Gửi thư thay cho trục", "Mailed around the gateway"),
    "documents.untraced": ("Văn bản không dấu vết gửi", "Documents without a trace"),
    "documents.paper": ("Gửi giấy thay cho trục", "Sent by post only"),
    "documents.late": ("Gửi qua trục chậm", "Sent through the gateway late"),
    "documents.no_receipt": ("Gửi không có xác nhận", "Sent without a receipt"),
    "documents.gaps": ("Nhảy số văn bản", "Numbers missing"),
    "documents.unregistered": ("Văn bản ngoài sổ", "Documents beside the register"),
    "documents.secret": ("Dấu chỉ độ mật trên thư", "Secrecy mark in a mail"),
    "documents.not_entered": ("Văn bản đến không vào sổ", "Arrivals not registered"),
    "documents.no_gateway": ("Thiếu dữ liệu trục", "Gateway export is missing"),
    "documents.no_headers": ("Thư không ghi tiêu đề", "Mail log without headers"),
    "documents.no_register": ("Thiếu sổ văn bản đi", "Register is missing"),
    "axis.packets": ("Gói tin edXML thay danh sách gửi", "edXML packets in place of the list"),
    "axis.unsigned": ("PDF thiếu chữ ký cơ quan", "PDFs without the body's signature"),
    "axis.outage": ("Trục gián đoạn, gửi thư tạm", "Axis down, mailed meanwhile"),
    "documents.undeclared": ("Chưa khai báo nguồn văn bản", "Document sources undeclared"),
    "waiver.valid": ("Chấp nhận rủi ro còn hạn", "Waiver that holds"),
    "waiver.expired": ("Chấp nhận rủi ro hết hạn", "Waiver that expired"),
}
_HEADS = {
    "vi": ("Đã cài (dữ liệu mô phỏng)", "Số lỗi", "Dòng đúng", "Lượt quét kết luận"),
    "en": ("Planted (simulated data)", "Count", "Rows right", "What the scan says"),
}
_ENDS = {
    "vi": ("Khớp hoàn toàn: {rows} dòng.", "KHÔNG KHỚP: {wrong} dòng khác với điều đã cài:"),
    "en": ("All {rows} rows agree.", "DIFFERENT: {wrong} rows are not as planted:"),
}
_WORDS = {
    "vi": {
        "fail": "không đạt",
        "error": "lỗi kiểm tra",
        "unknown": "chưa kết luận",
        "pass": "đạt",
        "not_applicable": "không áp dụng",
    },
    "en": {"unknown": "cannot tell", "not_applicable": "not applicable"},
}


def label(kind: str, language: str) -> str:
    """The name of a planted thing; `language` is vi or en."""
    return _LABELS[kind][0 if language == "vi" else 1]


def table(differences: Differences, language: str) -> list[str]:
    """The lines to print: one per kind of planted thing, then the verdict and what differs."""
    order = list(_LABELS)
    lines = sorted(differences.lines, key=lambda line: (line.kind == "", order.index(line.kind)))
    shown = [_HEADS[language], *(_cells(line, language) for line in lines)]
    widths = [max(len(row[n]) for row in shown) for n in range(4)]
    text = [
        "  ".join(
            (
                row[0].ljust(widths[0]),
                row[1].rjust(widths[1]),
                row[2].rjust(widths[2]),
                row[3],
            )
        ).rstrip()
        for row in shown
    ]
    text.insert(1, "─" * (sum(widths[:3]) + 4 + min(widths[3], 30)))
    good, bad = _ENDS[language]
    if not differences:
        return [*text, good.format(rows=differences.rows)]
    return [*text, bad.format(wrong=differences.wrong), *describe(differences)]


def _cells(line: Line, language: str) -> tuple[str, str, str, str]:
    words = _WORDS[language]
    said = ", ".join(f"{count} {words.get(status, status)}" for status, count in line.verdicts)
    wrong = "" if line.agreeing == line.rows else " ✗"
    return (
        label(line.kind, language),
        str(line.planted) if line.kind else "–",
        f"{line.agreeing}/{line.rows}",
        said + wrong,
    )
