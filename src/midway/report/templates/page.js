/* Sorting, filtering, hints that a table goes on: extras; the page is complete without them. */
document.querySelectorAll("table.sortable").forEach(function (table) {
  table.querySelectorAll("thead th").forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th[aria-sort]").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      var body = table.tBodies[0];
      var key = function (row) {
        var cell = row.cells[column];
        return cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent.trim().replace(/,/g, "");
      };
      Array.from(body.rows).sort(function (a, b) {
        var x = key(a), y = key(b), nx = parseFloat(x), ny = parseFloat(y);
        if (isNaN(nx) !== isNaN(ny)) return isNaN(nx) ? 1 : -1;
        var order = isNaN(nx) ? x.localeCompare(y) : nx - ny;
        return down ? -order : order;
      }).forEach(function (row) { row.classList.remove("band"); body.appendChild(row); });
    });
  });
});
(function () {
  var form = document.getElementById("filter");
  if (!form) return;
  var menus = Array.from(form.querySelectorAll("select"));
  var fits = function (item) {
    return menus.every(function (menu) {
      if (!menu.value) return true;
      if (menu.name !== "seen") return item.dataset[menu.name] === menu.value;
      var asked = menu.value.split(":");
      return item.dataset.seen.split(" ").includes(asked[1]) === (asked[0] === "seen");
    });
  };
  var apply = function () {
    var all = new Set(), shown = new Set();
    document.querySelectorAll("[data-language]").forEach(function (item) {
      var fit = fits(item);
      item.classList.toggle("off", !fit);
      all.add(item.dataset.language);
      if (fit) shown.add(item.dataset.language);
    });
    document.querySelectorAll("svg.heatmap").forEach(function (map) {
      var top = Number(map.dataset.top), step = Number(map.dataset.row), count = 0;
      map.querySelectorAll("g.row").forEach(function (row) {
        if (row.classList.contains("off")) return;
        row.setAttribute("transform", "translate(0," + (top + step * count) + ")");
        count += 1;
      });
      var height = top + step * count + 4;
      map.setAttribute("height", height);
      map.setAttribute("viewBox", "0 0 " + map.getAttribute("width") + " " + height);
    });
    form.querySelector("output").textContent = shown.size + " of " + all.size + " languages";
  };
  form.addEventListener("change", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply); });
  form.hidden = false;
  apply();
})();
(function () {
  var mark = function () {
    document.querySelectorAll(".scroll").forEach(function (box) {
      box.classList.toggle("cut", box.scrollWidth > box.clientWidth + 1);
    });
  };
  window.addEventListener("resize", mark);
  document.addEventListener("toggle", mark, true);
  mark();
})();
window.addEventListener("beforeprint", function () {
  document.querySelectorAll("details").forEach(function (item) { item.open = true; });
});
