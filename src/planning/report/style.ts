/**
 * The style of HTML reports. Hues are those of Okabe and Ito (Color Universal Design, 2008), told apart with any colour
 * vision; where they stand for something a label stands beside them. Light or dark is the reader's setting.
 */
export const STYLE = `
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --soft: #57606a; --rule: #d5dae0; --tint: #f4f6f8;
  --h0: #0072b2; --h1: #e69f00; --h2: #009e73; --h3: #cc79a7; --h4: #56b4e9; --h5: #d55e00; --h6: #8c959f; --bad: #a33a00 }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --text: #e4e7eb; --soft: #a0a8b1; --rule: #363c44;
  --tint: #1d2127; --h0: #2f8fd0; --bad: #ff9a5c } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 }
h2 { font-size: 1.15rem; margin: 2.75rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--rule) }
.setting { color: var(--soft); margin: .35rem 0 1.25rem }
.verdict { font-size: 1.15rem; line-height: 1.5; max-width: 46rem; margin: 0; padding-left: .9rem;
  border-left: 4px solid var(--h0) }
p, ul { max-width: 46rem }
li { margin: .2rem 0 }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 2rem 2.5rem;
  align-items: start; margin: 1rem 0 }
figure { margin: 0; min-width: 0 }
figcaption { font-size: .875rem; color: var(--soft); margin-bottom: .6rem }
figcaption b { display: block; font-size: 1rem; color: var(--text) }
svg { display: block; width: 100%; max-width: 32rem; height: auto; font: 12px system-ui, sans-serif; overflow: visible }
svg text { fill: var(--text) } svg .tick, svg .limit { fill: var(--soft); font-size: 11px }
svg .limit { fill: var(--bad) }
svg .axis { stroke: var(--soft) } svg .grid { stroke: var(--rule) }
svg .threshold { stroke: var(--bad); stroke-width: 1.5 }
svg .h0 { --hue: var(--h0) } svg .h1 { --hue: var(--h1) } svg .h2 { --hue: var(--h2) } svg .h3 { --hue: var(--h3) }
svg .h4 { --hue: var(--h4) } svg .h5 { --hue: var(--h5) } svg .h6 { --hue: var(--h6) }
svg .bar, svg .share, svg .full { fill: var(--hue) } svg .bar { stroke: var(--hue); stroke-width: 1.5 }
svg .bar.modelled { fill-opacity: .3; stroke-dasharray: 4 3 }
svg .share { stroke: var(--page); stroke-width: 1 }
svg .on-h0 { fill: #fff } svg .on-h1, svg .on-h2, svg .on-h3, svg .on-h4, svg .on-h5, svg .on-h6 { fill: #000 }
svg .range, svg .curve, svg .mark { stroke: var(--hue); stroke-width: 2; fill: none }
svg .mark.full { fill: var(--hue) } svg .mark.hollow { fill: var(--page) }
svg .range.modelled, svg .curve.modelled { stroke-dasharray: 5 4 }
svg .front { stroke: var(--soft); stroke-width: 1.5; fill: none }
svg path.front { stroke-dasharray: 1 4; stroke-linecap: round }
svg .heat { fill: var(--h0); stroke: var(--rule) }
.table { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-size: .875rem; overflow-wrap: normal }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; max-width: 46rem }
th, td { padding: .35rem .6rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--rule);
  white-space: nowrap }
th { font-weight: 600; border-bottom-color: var(--soft) } .left { text-align: left }
tbody th { font-weight: 400; border-bottom-color: var(--rule) }
td:last-child.left { white-space: normal; min-width: 8rem; max-width: 34rem }
th:first-child, td:first-child { padding-left: 0 }
details { margin: .75rem 0 } summary { cursor: pointer; padding: .25rem 0 }
pre { background: var(--tint); padding: .8rem 1rem; overflow-x: auto; font: .8rem/1.45 ui-monospace, monospace;
  white-space: pre-wrap; max-height: 40rem }
a { color: var(--h0) } :focus-visible { outline: 2px solid var(--h0); outline-offset: 2px }
@media print { main { max-width: none; padding: 0 } pre { max-height: none } figure, tr { break-inside: avoid } }
`
