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

/** A suggestion for `word` among `names`: the nearest one, or all of them if they are few. */
export const closest = (word: string, names: readonly string[]): string | undefined => {
  if (word.length > MAX_WORD) return undefined
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, "")
  const ranked = [...new Set(names)]
    .map((name) => ({ name, distance: editDistance(plain(word), plain(name)) }))
    .toSorted((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
  const best = ranked[0]
  if (best === undefined) return undefined
  if (best.distance <= Math.max(2, word.length / 3)) return `did you mean ${best.name}?`
  return `known: ${ranked
    .slice(0, 12)
    .map(({ name }) => name)
    .toSorted()
    .join(", ")}${ranked.length > 12 ? ", …" : ""}`
}
