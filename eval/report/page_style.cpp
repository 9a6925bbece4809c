#include "eval/report/page_style.h"

namespace vllama::eval {

const char* const kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --card: #ffffff; --text: #1c2330; --soft: #5d6778; --line: #dfe3ea;
  --accent: #2f6fde; --right: #1d8a4e; --wrong: #c0392b; --partly: #b37400; --missing: #6b7280;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12161d; --card: #1b212b; --text: #e6eaf1; --soft: #97a2b4; --line: #303949;
    --accent: #6ea1ff; --right: #4cc383; --wrong: #ff7d6e; --partly: #e5ac45; --missing: #98a2b3;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 8px 0 20px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 12px; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; margin-bottom: 18px;
}
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: 13px; }
tbody th { font-weight: 600; overflow-wrap: break-word; min-width: 110px; max-width: 340px; }
td:last-child { white-space: nowrap; }
.origin td { white-space: normal; }
td.value, td.interval { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.interval, .note { color: var(--soft); font-size: 13px; font-weight: 400; }
td.wide { width: 42%; min-width: 160px; }
tr.certain td { font-weight: 700; }
.mono, pre { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--back); border-radius: 8px; padding: 12px; max-height: 420px; overflow: auto; }
.bar { position: relative; height: 14px; margin-top: 5px; background: var(--back); border-radius: 4px; overflow: hidden; }
.fill { position: absolute; inset: 0 auto 0 0; background: var(--accent); opacity: .75; }
.whisker {
  position: absolute; top: 3px; height: 8px; min-width: 2px;
  border: solid var(--text); border-width: 0 2px;
  background: linear-gradient(var(--text), var(--text)) center / 100% 2px no-repeat;
}
summary { cursor: pointer; font-weight: 600; padding: 6px 0; overflow-wrap: anywhere; }
svg.curve { width: 100%; height: auto; display: block; }
svg.curve polyline { fill: none; stroke: var(--accent); stroke-width: 1.6; stroke-linejoin: round; }
svg.curve .grid { stroke: var(--line); }
svg.curve text { fill: var(--soft); font-size: 12px; }
.controls { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; margin-bottom: 14px; }
.controls button, .controls select, .controls input {
  font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line);
  border-radius: 8px; padding: 5px 11px;
}
.controls button { cursor: pointer; }
.controls button:disabled { opacity: .4; cursor: default; }
.controls button[aria-pressed=true] { background: var(--accent); border-color: var(--accent); color: var(--card); }
.controls input { flex: 1 1 200px; min-width: 140px; }
.controls select { max-width: 240px; }
.pages { justify-content: center; margin: 16px 0 0; }
#cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 14px; }
.card {
  border: 1px solid var(--line); border-left: 4px solid var(--missing); border-radius: 8px;
  padding: 12px; min-width: 0; display: flex; flex-direction: column; gap: 7px;
}
.card.right { border-left-color: var(--right); }
.card.wrong { border-left-color: var(--wrong); }
.card.partly { border-left-color: var(--partly); }
.frames { display: grid; grid-template-columns: repeat(4, 1fr); gap: 4px; }
.frames img { width: 100%; max-height: 110px; object-fit: contain; border-radius: 4px; }
.head { display: flex; gap: 8px; align-items: baseline; font-size: 13px; color: var(--soft); }
.head .id { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; flex: 1; }
.badge { font-weight: 700; }
.right .badge { color: var(--right); }
.wrong .badge { color: var(--wrong); }
.partly .badge { color: var(--partly); }
.text { overflow-wrap: anywhere; white-space: pre-wrap; max-height: 180px; overflow-y: auto; unicode-bidi: isolate; }
.question { font-weight: 600; }
.label { color: var(--soft); font-size: 12px; display: block; }
.options { margin: 0; padding-left: 20px; font-size: 13px; }
.options .chosen { font-weight: 700; }
@media print { .controls { display: none; } section { break-inside: avoid-page; } }
)css";

}  // namespace vllama::eval
