/** A report as Markdown, for pull requests: the same words and tables; figures stay out. */
import type { ReportBlock, ReportDocument, ReportTable } from "./document.ts"
import { MANIFEST_ID, manifestText } from "./manifest.ts"

/** Signs that mean something in Markdown and HTML, as themselves; one line. */
const inline = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[\\`*_[\]|~]/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    // At the beginning of a line these begin a list or a heading.
    .replace(/^(?:[#+-]|\d+[.)])(?=\s|$)/, (sign) =>
      /^\d/.test(sign) ? `${sign.slice(0, -1)}\\${sign.slice(-1)}` : `\\${sign}`
    )

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`

const table = ({ caption, basis, columns, rows }: ReportTable): string =>
  [
    `${inline(caption)} (${basis}):`,
    "",
    line(columns.map(({ title }) => inline(title))),
    line(columns.map(({ left }) => (left === true ? ":--" : "--:"))),
    ...rows.map((cells) => line(cells.map(inline)))
  ].join("\n")

/** Text between fences longer than any in it. */
const fenced = (text: string, information: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = "`".repeat(longest + 1)
  return `${fence}${information}\n${text.endsWith("\n") ? text : `${text}\n`}${fence}`
}

const folded = (title: string, text: string, information: string): string =>
  `<details><summary>${inline(title)}</summary>\n\n${fenced(text, information)}\n\n</details>`

const block = (one: ReportBlock): readonly string[] => {
  switch (one.kind) {
    case "table":
      return [table(one)]
    case "figure":
      return []
    case "text":
      return [inline(one.text)]
    case "list":
      return [one.items.map((item) => `- ${inline(item)}`).join("\n")]
    case "source":
      return [folded(one.title, one.text, one.language)]
  }
}

export const markdownReport = ({ title, setting, verdict, sections, manifest }: ReportDocument): string =>
  `${[
    `# ${inline(title)}`,
    inline(verdict),
    inline(setting),
    ...sections.flatMap(({ heading, blocks }) => {
      const own = blocks.flatMap(block)
      return own.length === 0 ? [] : [`## ${inline(heading)}`, ...own]
    }),
    folded(
      "Manifest: vericache rerun makes the same results again",
      manifestText(manifest),
      `json ${MANIFEST_ID}`
    )
  ].join("\n\n")}\n`
