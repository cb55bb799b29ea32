"""How the report of a run, the executed notebooks and the site look: light and dark, on a screen and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1c2024; --soft: #59636e; --line: #d5dae0; --fill: #f4f6f8; --link: #0b5cad;
  --ok: #1a7f37; --bad: #b42318; --ok-fill: #e6f4ea; --bad-fill: #fdecea; --bar: #4a7fb5;
  --keyword: #7a1fa2; --string: #9a2f1c; --literal: #0f6b4f; --name: #0b5cad;
}
@media (prefers-color-scheme: dark) { :root {
  --page: #14171a; --text: #e6e9ec; --soft: #a3adb8; --line: #3a424b; --fill: #1f2429; --link: #86b7f0;
  --ok: #57c878; --bad: #ff8f84; --ok-fill: #14301e; --bad-fill: #3d1815; --bar: #5d92c9;
  --keyword: #d3a4f0; --string: #f2ad8d; --literal: #8fd6b5; --name: #86b7f0;
} }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem;
  background: var(--page); color: var(--text); }
h1 { font-size: 1.7rem; line-height: 1.25; } h2 { font-size: 1.3rem; margin-top: 2.4rem; }
h3 { font-size: 1.05rem; margin-top: 1.8rem; } h1, h2, h3 { break-after: avoid; }
a { color: var(--link); } nav { display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap;
  font-size: .93rem; margin: .3rem 0 1.2rem; }
table { border-collapse: collapse; margin: .6rem 0; font-size: .93rem; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
table.full { width: 100%; } .wide td { white-space: nowrap; } .wide td.loose { white-space: normal; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
table.dataframe th, table.dataframe td { padding: .2rem .7rem; text-align: right; }
pre { background: var(--fill); padding: .6rem .8rem; border-radius: 6px; overflow-x: auto; font-size: .85rem;
  line-height: 1.45; margin: .4rem 0; }
code { font-size: .9em; } p code, li code, td code { background: var(--fill); padding: .1em .3em; border-radius: 4px; }
img, svg { max-width: 100%; height: auto; } figure { margin: 1rem 0; break-inside: avoid; }
figure img { background: #ffffff; border: 1px solid var(--line); border-radius: 6px; }
figcaption, .soft { color: var(--soft); font-size: .9rem; }
details { margin: .25rem 0; } summary { cursor: pointer; }
.ok { color: var(--ok); } .bad { color: var(--bad); }
.verdict { border-left: 6px solid var(--ok); background: var(--ok-fill); padding: .9rem 1.1rem; border-radius: 4px;
  font-size: 1.12rem; margin: 1rem 0; }
.verdict.failed { border-color: var(--bad); background: var(--bad-fill); }
.hops { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; }
.hop { flex: 1 1 9rem; border: 1px solid var(--line); border-radius: 8px; padding: .7rem 1rem; }
.hop b { display: block; font-size: 1.9rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
ul.index { list-style: none; padding: 0; } ul.index li { margin: .8rem 0; }
.wide { overflow-x: auto; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1.2rem; }
.bar { display: block; height: .8rem; min-width: 2px; border-radius: 3px; background: var(--bar);
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
td.bar-cell { width: 38%; padding-top: .65rem; }
footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: .88rem; }
/* Executed notebooks, as nbconvert's basic template writes them. */
.prompt, .anchor-link { display: none; }
.highlight .k, .highlight .kn, .highlight .kc, .highlight .kd, .highlight .ow { color: var(--keyword); }
.highlight [class^="s"] { color: var(--string); } .highlight [class^="c"] { color: var(--soft); }
.highlight [class^="m"] { color: var(--literal); }
.highlight .nf, .highlight .nc, .highlight .nd, .highlight .nb { color: var(--name); }
.cell { margin: .5rem 0; } .output_area { overflow-x: auto; }
.output_area pre { background: none; padding: .2rem .8rem; }
.output_wrapper { border-left: 3px solid var(--line); padding-left: .7rem; margin: .4rem 0; }
.output_png img { background: #ffffff; border-radius: 6px; }
.output_stderr pre, .output_error pre { color: var(--bad); white-space: pre-wrap; }
@media print {
  body { max-width: none; padding: 0; font-size: 11pt; } nav { display: none; }
  .hop, tr, .verdict { break-inside: avoid; } pre { white-space: pre-wrap; }
}
"""
