/** Files a person takes away: any chart as SVG and PNG, any table as CSV. */
import { csvFormatRows } from "d3"
import { element, svg } from "./element.ts"

/** Hands a file to the browser's downloads. */
export const download = (name: string, content: Blob): void => {
  const link = element("a", { href: URL.createObjectURL(content), download: name })
  link.click()
  URL.revokeObjectURL(link.href)
}

/** What a chart takes from the page's style sheet. */
const STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "opacity",
  "color",
  "font-family",
  "font-size",
  "font-weight",
  "font-variant-numeric",
  "text-anchor",
  "visibility"
] as const

/** The chart as a document of its own: what the style sheet gives it is written into its elements; text stays text. */
export const svgText = (chart: SVGSVGElement): string => {
  const copy = chart.cloneNode(true) as SVGSVGElement
  const { width, height } = sizeOf(chart)
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg")
  copy.setAttribute("width", String(width))
  copy.setAttribute("height", String(height))
  const ground = getComputedStyle(chart.closest(".card") ?? document.body).backgroundColor
  const copies = [copy, ...copy.querySelectorAll<SVGElement>("*")]
  for (const [at, shown] of [chart, ...chart.querySelectorAll<SVGElement>("*")].entries()) {
    const computed = getComputedStyle(shown)
    const style = STYLES.map((name) => `${name}:${computed.getPropertyValue(name)}`)
    copies[at]!.setAttribute("style", style.join(";"))
    copies[at]!.removeAttribute("class")
  }
  copy.style.background = ground
  // What the page showed when it was saved: behind the address of any copy of the app it is shown again.
  copy.prepend(svg("metadata", {}, location.hash))
  return new XMLSerializer().serializeToString(copy)
}

const sizeOf = (chart: SVGSVGElement): { readonly width: number; readonly height: number } => {
  const { width, height } = chart.viewBox.baseVal
  return width > 0 ? { width, height } : chart.getBoundingClientRect()
}

/** The chart as pixels, twice as fine as on an ordinary screen. */
const pngOf = async (chart: SVGSVGElement): Promise<Blob> => {
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(chart))}`
  await image.decode()
  const canvas = document.createElement("canvas")
  const { width, height } = sizeOf(chart)
  canvas.width = width * 2
  canvas.height = height * 2
  const context = canvas.getContext("2d")!
  context.fillStyle = getComputedStyle(chart.closest(".card") ?? document.body).backgroundColor
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(image, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error("no picture came")) : resolve(blob)))
  )
}

export interface Exports {
  /** Of the files, without an ending. */
  readonly name: string
  readonly chart?: () => SVGSVGElement | undefined
  /** Rows of a table, its header first; units stand in the header. */
  readonly table?: () => readonly (readonly (string | number)[])[]
}

/** Buttons "SVG", "PNG" and "CSV", as many as there is something for. */
export const exportButtons = ({ name, chart, table }: Exports): HTMLElement => {
  const button = (kind: string, save: () => void): HTMLButtonElement => {
    const made = element("button", { type: "button", title: `Save as ${kind}` }, kind)
    made.setAttribute("aria-label", `Save ${name} as ${kind}`)
    made.addEventListener("click", save)
    return made
  }
  const drawn = (use: (chart: SVGSVGElement) => void) => () => {
    const found = chart?.()
    if (found !== undefined) use(found)
  }
  return element(
    "span",
    { class: "tools" },
    ...(chart === undefined
      ? []
      : [
          button(
            "SVG",
            drawn((found) => download(`${name}.svg`, new Blob([svgText(found)], { type: "image/svg+xml" })))
          ),
          button(
            "PNG",
            drawn((found) => void pngOf(found).then((picture) => download(`${name}.png`, picture)))
          )
        ]),
    ...(table === undefined
      ? []
      : [
          button("CSV", () =>
            download(
              `${name}.csv`,
              new Blob([csvFormatRows(table().map((row) => row.map(String)))], { type: "text/csv" })
            )
          )
        ])
  )
}
