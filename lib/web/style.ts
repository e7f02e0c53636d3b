/** The one style sheet: light and dark by the reader's setting, no font or picture from elsewhere. */
export const style = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1b2430, #e6ebf2);
  --quiet: light-dark(#56616f, #9aa7b8);
  --page: light-dark(#f6f7f9, #10151c);
  --card: light-dark(#ffffff, #18202a);
  --line: light-dark(#dde2e9, #2b3643);
  --link: light-dark(#0b5cad, #7cb8ff);
  --good: light-dark(#0f6b3a, #5fd497);
  --good-back: light-dark(#e2f5ea, #10301f);
  --bad: light-dark(#a3171f, #ff9a94);
  --bad-back: light-dark(#fdeaea, #3a1618);
  --wait: light-dark(#7a4b00, #f1c068);
  --wait-back: light-dark(#fdf2da, #35270d);
  --bar: light-dark(#3d84cf, #4f95e0);
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible {
  outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px;
}
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; }
header.top { border-bottom: 1px solid var(--line); background: var(--card); }
header.top > div, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header.top > div { display: flex; align-items: center; gap: 1.5rem; min-height: 3.5rem; }
.brand { font-weight: 700; font-size: 1.1rem; color: inherit; text-decoration: none; display: flex; gap: .6rem; align-items: center; }
.brand svg { display: block; }
nav a { color: var(--quiet); text-decoration: none; padding: .3rem .1rem; margin-right: 1.1rem; }
nav a[aria-current], nav a:hover { color: var(--text); border-bottom: 2px solid var(--link); }
main { padding-top: 1.75rem; padding-bottom: 3rem; }
footer { color: var(--quiet); font-size: .875rem; padding-bottom: 2rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .35rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
.quiet { color: var(--quiet); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
.cards h3 { margin: 0 0 .35rem; font-size: 1.05rem; display: flex; justify-content: space-between; gap: 1rem; align-items: center; }
.cards ul { margin: .5rem 0 0; padding-left: 1.1rem; }
.badge {
  display: inline-flex; align-items: center; gap: .35em; white-space: nowrap; border-radius: 99px;
  padding: .1rem .65rem; font-size: .85rem; font-weight: 600; color: var(--quiet); background: var(--page); border: 1px solid transparent;
}
.badge.success, .badge.created { color: var(--good); background: var(--good-back); }
.badge.failure, .badge.deleted { color: var(--bad); background: var(--bad-back); }
.badge.waiting, .badge.configured { color: var(--wait); background: var(--wait-back); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 0; }
dl.facts dt { color: var(--quiet); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
code, pre, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.message { border-left: 4px solid var(--line); margin: 1.25rem 0; }
.message.failure { border-left-color: var(--bad); }
.message.success { border-left-color: var(--good); }
.message.waiting { border-left-color: var(--wait); }
.message h2 { margin: 0 0 .4rem; font-size: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th { text-align: left; color: var(--quiet); font-weight: 600; font-size: .85rem; }
th, td { padding: .5rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.time { white-space: nowrap; }
.table { padding: .25rem .5rem; }
.bar { display: block; width: 100%; min-width: 8rem; height: 1.1rem; }
.bar rect { fill: var(--bar); }
details summary { cursor: pointer; padding: .6rem .25rem; color: var(--quiet); }
form.filter { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: end; margin: 1rem 0; }
label { display: grid; gap: .2rem; font-size: .85rem; color: var(--quiet); }
input, select, button {
  font: inherit; color: var(--text); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .4rem .7rem;
}
button { cursor: pointer; font-weight: 600; }
.narrow { max-width: 26rem; margin: 3rem auto; }
.narrow form { display: grid; gap: 1rem; margin-top: 1rem; }
.pages { display: flex; gap: 1rem; margin-top: 1rem; }
@media (max-width: 40rem) {
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .6rem; }
  th, td { padding: .5rem .4rem; }
}
@media print { header.top, footer, form, .pages { display: none; } }
`;
