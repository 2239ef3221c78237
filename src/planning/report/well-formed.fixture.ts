/** A strict reader of the markup that reports are made of: anything that a browser would have to mend is a fault. */

const VOID: ReadonlySet<string> = new Set(["meta"])
const TAG = /<(?:!doctype html|(\/?)([a-z0-9]+)((?:\s+[a-zA-Z][a-zA-Z0-9-]*="[^"<>]*")*)\s*(\/?))>/y
const TEXT = /[^<]+/y
const ENTITY = /&(?!(?:lt|gt|amp|quot|#39);)/

/** All texts, with entities read; throws with words where the markup is not well-formed. */
export const textsOf = (markup: string): readonly string[] => {
  const open: string[] = []
  const texts: string[] = []
  let at = 0
  while (at < markup.length) {
    TEXT.lastIndex = at
    TAG.lastIndex = at
    const text = TEXT.exec(markup)?.[0]
    const near = `${at}: ${markup.slice(at, at + 60)}`
    if (text !== undefined) {
      if (open.at(-1) !== "style" && ENTITY.test(text)) throw new Error(`a bare & at ${near}`)
      if (open.at(-1) !== "style" && text.includes(">")) throw new Error(`a bare > at ${near}`)
      texts.push(read(text))
      at += text.length
      continue
    }
    const tag = TAG.exec(markup)
    if (tag === null) throw new Error(`no tag at ${near}`)
    const [whole, closing, name, attributes = "", empty] = tag
    if (ENTITY.test(attributes)) throw new Error(`a bare & in an attribute at ${near}`)
    if (closing === "/") {
      if (open.pop() !== name) throw new Error(`closes what is not open at ${near}`)
    } else if (name !== undefined && empty !== "/" && !VOID.has(name)) open.push(name)
    at += whole.length
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(", ")}`)
  return texts
}

const SIGNS: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', "#39": "'" }
const read = (text: string): string =>
  text.replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => SIGNS[name]!)
