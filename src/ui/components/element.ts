/** Elements of the page, made in one expression. Text stays text: nothing is ever parsed as HTML. */

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

const fill = (made: Element, attributes: Attributes, children: readonly (Node | string)[]): void => {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value))
  made.append(...children)
}

/** An HTML element; attributes that are undefined or false are left out. */
export const element = <K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] => {
  const made = document.createElement(name)
  fill(made, attributes, children)
  return made
}

/** An SVG element. */
export const svg = <K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name)
  fill(made, attributes, children)
  return made
}
