/** Text in HTML and SVG. */

const ENTITIES: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Text for elements and attributes. Control characters that XML has no place for go. */
export const escaped = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex -- those are what is looked for
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "�")
    .toWellFormed()
    .replace(/[<>&"']/g, (sign) => ENTITIES[sign]!)

type Attributes = Readonly<Record<string, string | number | undefined>>

/** An element with attributes, escaped, and children, which are markup already. Numbers have at most two decimals. */
export const element = (name: string, attributes: Attributes, ...children: readonly string[]): string => {
  const all = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}="${typeof value === "number" ? String(Number(value.toFixed(2))) : escaped(value!)}"`
    )
    .join("")
  return children.length === 0 ? `<${name}${all}/>` : `<${name}${all}>${children.join("")}</${name}>`
}
