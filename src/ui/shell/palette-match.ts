/** Which commands some words mean. Pure. */

/** Those whose name has every word, then those whose name has the letters in order; as they came within each. */
export const matches = <A extends { readonly name: string }>(
  all: readonly A[],
  typed: string
): readonly A[] => {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
  if (words.length === 0) return all
  const wordy = all.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
  const letters = words.join("")
  return [
    ...wordy,
    ...all.filter((one) => !wordy.includes(one) && hasInOrder(one.name.toLowerCase(), letters))
  ]
}

const hasInOrder = (text: string, letters: string): boolean => {
  let at = 0
  for (const letter of letters) {
    at = text.indexOf(letter, at) + 1
    if (at === 0) return false
  }
  return true
}
