/** A report as one page that needs nothing else: no script, no network. */
import type { ReportBlock, ReportDocument, ReportFigure, ReportTable } from "./document.ts"
import { MANIFEST_ID, manifestText } from "./manifest.ts"
import { element, escaped } from "./markup.ts"
import { STYLE } from "./style.ts"

const table = ({ caption, basis, columns, rows }: ReportTable): string => {
  const side = (i: number): string | undefined => (columns[i]?.left === true ? "left" : undefined)
  const heads = columns.map(({ title }, i) => element("th", { scope: "col", class: side(i) }, escaped(title)))
  const body = rows.map((cells) =>
    element(
      "tr",
      {},
      ...cells.map((text, i) =>
        i === 0
          ? element("th", { scope: "row", class: side(i) }, escaped(text))
          : element("td", { class: side(i) }, escaped(text))
      )
    )
  )
  return element(
    "div",
    // It scrolls by itself on a narrow screen, with the keyboard too.
    { class: "table", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, escaped(`${caption} (${basis})`)),
      element("thead", {}, element("tr", {}, ...heads)),
      element("tbody", {}, `\n${body.join("\n")}\n`)
    )
  )
}

const figure = ({ title, caption, svg }: ReportFigure): string =>
  element(
    "figure",
    {},
    element("figcaption", {}, element("b", {}, escaped(title)), escaped(caption)),
    `\n${svg}\n`
  )

const block = (one: Exclude<ReportBlock, ReportFigure>): string => {
  switch (one.kind) {
    case "table":
      return table(one)
    case "text":
      return element("p", {}, escaped(one.text))
    case "list":
      return element("ul", {}, ...one.items.map((item) => element("li", {}, escaped(item))))
    case "source":
      return element(
        "details",
        {},
        element("summary", {}, escaped(one.title)),
        // A line break right after <pre> is not part of the text, so one is there for one of the text to stay.
        element("pre", {}, `\n${escaped(one.text)}`)
      )
  }
}

/** Blocks as they come; figures that follow one another stand side by side where there is room. */
const blocks = (all: readonly ReportBlock[]): string => {
  const parts: string[] = []
  let group: string[] = []
  const close = (): void => {
    if (group.length > 0) parts.push(element("div", { class: "figures" }, ...group))
    group = []
  }
  for (const one of all) {
    if (one.kind === "figure") group.push(figure(one))
    else {
      close()
      parts.push(block(one))
    }
  }
  close()
  return parts.join("\n")
}

export const htmlReport = ({ title, setting, verdict, sections, manifest }: ReportDocument): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="generator" content="vericache ${escaped(manifest.version)}">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p class="setting">${escaped(setting)}</p>
<p class="verdict">${escaped(verdict)}</p>
${sections.map(({ heading, blocks: own }) => `<section>\n<h2>${escaped(heading)}</h2>\n${blocks(own)}\n</section>`).join("\n")}
<section>
<h2>Manifest</h2>
<p>${escaped(manifestWords)} <code>vericache rerun</code> with this page makes the same results again.</p>
<details><summary>Manifest (JSON)</summary><pre id="${MANIFEST_ID}">${escaped(manifestText(manifest))}</pre></details>
</section>
</main>
</body>
</html>
`

/** What the manifest is. */
const manifestWords = "What these results depend on, with the files that were read."
