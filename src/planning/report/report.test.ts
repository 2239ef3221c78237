import { Result } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ReportDocument } from "./document.ts"
import { htmlReport } from "./html.ts"
import { type Manifest, readManifest } from "./manifest.ts"
import { markdownReport } from "./markdown.ts"
import { textsOf } from "./well-formed.fixture.ts"

const manifest = (text: string): Manifest => ({
  manifest: 1,
  version: "0.1.0",
  command: "simulate",
  arguments: [text, "--format=table"],
  scenario: "16c45007460c34a3",
  seed: 1,
  catalog: "00",
  results: "ff",
  files: { [`file ${text}`]: { digest: "00", text } }
})

/** A report that says `text` wherever it says anything. */
const saying = (text: string): ReportDocument => ({
  title: text,
  setting: text,
  verdict: text,
  sections: [
    {
      heading: text,
      blocks: [
        { kind: "text", text },
        { kind: "list", items: [text, text] },
        {
          kind: "table",
          caption: text,
          basis: "measured",
          columns: [{ title: text, left: true }, { title: text }],
          rows: [[text, text]]
        },
        { kind: "figure", title: text, caption: text, svg: '<svg viewBox="0 0 1 1"/>' },
        { kind: "source", title: text, language: "yaml", text }
      ]
    }
  ],
  manifest: manifest(text)
})

const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc
    .array(
      fc.constantFrom(
        "<script>alert(1)</script>",
        "</pre>",
        "</style>",
        "&amp;",
        "&",
        '"',
        "'",
        "`````",
        "|",
        "\n",
        "\\",
        "# ",
        "- ",
        "]](javascript:x)",
        "$&",
        "𝄞"
      ),
      { maxLength: 8 }
    )
    .map((parts) => parts.join(""))
)
/** What XML has no place for is replaced in pages. */
const printable = (text: string): boolean =>
  // eslint-disable-next-line no-control-regex -- those are what is looked for
  text.isWellFormed() && !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\r]/.test(text)

describe("an HTML report", () => {
  it("is well-formed and says what it was told, whatever that is", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const texts = textsOf(htmlReport(saying(text)))
        if (printable(text) && text !== "")
          expect(texts.filter((one) => one.includes(text)).length).toBeGreaterThanOrEqual(10)
      })
    )
  })

  it("has no script and names nothing outside of itself", () => {
    const page = htmlReport(saying("x"))
    expect(page).not.toMatch(/<script|\ssrc=|\shref=|url\(|@import/)
    expect(page).toContain("default-src 'none'")
  })
})

describe("a Markdown report", () => {
  it("has tables whose rows are as wide as their heads, whatever is in the cells", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const lines = markdownReport(saying(text)).split("\n")
        const rule = lines.indexOf("| :-- | --: |")
        expect(rule).toBeGreaterThan(0)
        for (const line of [lines[rule - 1]!, lines[rule + 1]!])
          expect([...line.matchAll(/(?<!\\)(?:\\\\)*\|/g)]).toHaveLength(3)
      })
    )
  })

  it("lets no markup of names through", () => {
    const page = markdownReport(saying("<img src=x> *a* [b](c) `d`"))
    const [before] = page.split("<details>")
    expect(before).not.toMatch(/<img|(?<!\\)[*[`]/)
  })
})

describe("a manifest", () => {
  it("is found again in both forms and by itself, whatever is in it", () => {
    fc.assert(
      fc.property(nasty.filter(printable), (text) => {
        const document = saying(text)
        for (const form of [
          htmlReport(document),
          markdownReport(document),
          JSON.stringify(document.manifest)
        ])
          expect(readManifest(form)).toEqual(Result.succeed(document.manifest))
      })
    )
  })

  it("says what is wrong where there is none", () => {
    const words = (text: string): string => Result.getOrThrow(Result.flip(readManifest(text)))
    expect(words("<p>no report</p>")).toBe("expected a report with a manifest, or a manifest; found neither")
    expect(words("{}")).toMatch(/^expected a manifest of vericache: /)
  })
})
