(function () {
  "use strict";
  var body = document.body;
  var collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  var tables = Array.prototype.slice.call(document.querySelectorAll("table.matrix"));

  function value(row, column) {
    var cell = row.cells[column];
    return cell.getAttribute("data-v") || cell.textContent.trim();
  }

  function sort(table, column, button) {
    var head = button.closest("th");
    var up = head.getAttribute("aria-sort") !== "ascending";
    var rows = Array.prototype.slice.call(table.tBodies[1].rows);
    rows.sort(function (a, b) {
      var order = collator.compare(value(a, column), value(b, column));
      return up ? order : -order;
    });
    rows.forEach(function (row) { table.tBodies[1].appendChild(row); });
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (th) { th.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  }

  tables.forEach(function (table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (th, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = th.textContent;
      button.title = th.getAttribute("data-sort");
      th.textContent = "";
      th.appendChild(button);
      button.addEventListener("click", function () { sort(table, column, button); });
    });
  });

  var box = document.getElementById("search-box");
  var input = document.getElementById("search");
  function plain(text) {
    return text.toLowerCase().replace(/đ/g, "d").normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  }
  if (box && input) {
    box.hidden = false;
    input.addEventListener("input", function () {
      var wanted = plain(input.value.trim());
      Array.prototype.forEach.call(document.querySelectorAll(".u"), function (row) {
        row.hidden = wanted !== "" && plain(row.getAttribute("data-n")).indexOf(wanted) < 0;
      });
    });
  }

  function reveal() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    var unit = target && target.closest("details");
    if (unit && !unit.open) { unit.open = true; target.scrollIntoView(); }
  }
  window.addEventListener("hashchange", reveal);
  reveal();
  body.setAttribute("data-ready", "");
})();
