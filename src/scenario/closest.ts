/** Did you mean: the nearest known name, if any is near. */

/** Edits (insert, delete, replace) that turn one word into another. */
export const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

/** Nobody mistypes a name into a longer word. */
const MAX_WORD = 100

/** Names from the nearest on, as people spell them. */
const ranked = (
  word: string,
  names: readonly string[]
): readonly { readonly name: string; readonly distance: number }[] => {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, "")
  return [...new Set(names)]
    .map((name) => ({ name, distance: editDistance(plain(word), plain(name)) }))
    .toSorted((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
}

/** The name that was probably meant, if one is near. */
export const nearest = (word: string, names: readonly string[]): string | undefined => {
  if (word.length > MAX_WORD) return undefined
  const [best] = ranked(word, names)
  return best !== undefined && best.distance <= Math.max(2, word.length / 3) ? best.name : undefined
}

/** A suggestion for `word` among `names`: the nearest one, or all of them if they are few. */
export const closest = (word: string, names: readonly string[]): string | undefined => {
  if (word.length > MAX_WORD || names.length === 0) return undefined
  const best = nearest(word, names)
  if (best !== undefined) return `did you mean ${best}?`
  const all = ranked(word, names).map(({ name }) => name)
  return `known: ${all.slice(0, 12).toSorted().join(", ")}${all.length > 12 ? ", …" : ""}`
}
