"""The look of a report's page: one style sheet, light and dark, from 390 px up.

Lives here: colours and layout as CSS. Must not live here: words, numbers.
"""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--card:#f6f7f9;--ink:#16191d;--mute:#56606b;--rule:#d5dae0;
--grid:#e4e8ec;--equity:#1a5fb4;--hold:#9a5b00;--price:#46515c;--gain:#17703a;--loss:#b3261e;
--buy:#1a5fb4;--heat:0}
@media (prefers-color-scheme:dark){:root{--bg:#101317;--card:#181c22;--ink:#e7eaee;--mute:#a3adb8;
--rule:#323942;--grid:#262c34;--equity:#78b4ff;--hold:#e9a94b;--price:#aab4bf;--gain:#5cc98b;
--loss:#ff8a80;--buy:#78b4ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",
Roboto,"Liberation Sans",sans-serif;font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
main{max-width:1180px;margin:0 auto;padding:24px 20px 48px}
h1{font-size:1.55rem;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:32px 0 8px}
p{margin:4px 0}
.mute,figcaption span,.axis{color:var(--mute)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(126px,1fr));gap:10px;margin:18px 0;
padding:0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 12px}
.tiles span{display:block;color:var(--mute);font-size:.85rem}
.tiles b{font-size:1.25rem;overflow-wrap:anywhere}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:0 32px}
ul.said{margin:4px 0;padding-left:20px}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:4px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
td.word,th.word{text-align:left}
td.mute{white-space:normal;min-width:13em}
thead th{color:var(--mute);font-weight:600}
tbody th{font-weight:400}
.scroll{overflow-x:auto;max-width:100%}
.scroll:focus-visible{outline:2px solid var(--equity)}
.gain{color:var(--gain)}.loss{color:var(--loss)}
td.heat{position:relative}
td.heat i{position:absolute;inset:2px 1px;border-radius:4px;z-index:0}
td.heat span{position:relative;z-index:1;color:var(--ink)}
i.gain{background:var(--gain)}i.loss{background:var(--loss)}
i.l1{opacity:.08}i.l2{opacity:.16}i.l3{opacity:.25}i.l4{opacity:.34}i.l5{opacity:.42}
figure{margin:22px 0 0}
figcaption{font-weight:600;margin-bottom:6px}
figcaption span{font-weight:400;font-size:.85rem;display:block}
.chart{display:grid;grid-template-columns:64px 1fr;grid-template-rows:auto 22px}
.axis{position:relative;font-size:.78rem}
.axis span{position:absolute;white-space:nowrap}
.axis.y span{right:8px;transform:translateY(-50%)}
.axis.x{grid-column:2}
.axis.x span{top:4px;transform:translateX(-50%)}
.axis.x span.first{transform:none}.axis.x span.last{transform:translateX(-100%)}
.plot{border-left:1px solid var(--rule);border-bottom:1px solid var(--rule);overflow:hidden}
.plot svg{display:block;width:100%;height:100%}
.plot path{vector-effect:non-scaling-stroke;fill:none;stroke-width:1.5;stroke-linejoin:round}
.plot .grid{stroke:var(--grid);stroke-width:1}
.plot .base{stroke:var(--mute);stroke-width:1;stroke-dasharray:4 4}
.plot .line.equity{stroke:var(--equity)}.plot .line.hold{stroke:var(--hold)}
.plot .line.price{stroke:var(--price);stroke-width:1.2}
.plot .area.loss{fill:var(--loss);fill-opacity:.22;stroke:var(--loss)}
.plot .area.hold{fill:var(--hold);fill-opacity:.22;stroke:var(--hold)}
.plot .bars.gain{fill:var(--gain)}.plot .bars.loss{fill:var(--loss)}
.plot .dots{stroke-width:7;stroke-linecap:round}
.plot .dots.buy{stroke:var(--buy)}
.plot .gain:not(.bars){stroke:var(--gain)}.plot .loss:not(.bars){stroke:var(--loss)}
.plot .ties{stroke-width:1;stroke-opacity:.7}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:4px 0 0 64px;padding:0;list-style:none;
font-size:.85rem}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;
vertical-align:-1px}
i.equity{background:var(--equity)}i.hold{background:var(--hold)}i.price{background:var(--price)}
i.buy{background:var(--buy)}
details{margin-top:8px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:8px 0;font-size:.9rem}
dt{color:var(--mute)}dd{margin:0;overflow-wrap:anywhere}
code{font-family:ui-monospace,"Liberation Mono",Menlo,monospace;font-size:.9em;
overflow-wrap:anywhere}
footer{margin-top:40px;border-top:1px solid var(--rule);padding-top:12px;font-size:.88rem}
@media (max-width:600px){.axis.x span:nth-child(even){display:none}
tbody th{white-space:normal;min-width:7em}
main{padding:16px 14px 40px}.chart{grid-template-columns:52px 1fr}
.legend{margin-left:52px}th,td{padding:4px 7px}.tiles{grid-template-columns:1fr 1fr}
dl{grid-template-columns:1fr}dd{margin-bottom:6px}.tiles b{font-size:1.1rem}}
"""
