/** Moments that someone marked, as they stand in the address: `12500~first reload,90000~slow round`. Pure. */

export interface Mark {
  /** ns from the start of the run, whole. */
  readonly at: number
  readonly name: string
}

/** Marks of an address; what is no mark is left out. */
export const marksOf = (text: string | undefined): readonly Mark[] =>
  (text ?? "").split(",").flatMap((one) => {
    const [, at, name] = /^(\d{1,16})~(.+)$/.exec(one) ?? []
    return at === undefined || name === undefined ? [] : [{ at: Number(at), name }]
  })

/** By time; undefined if there are none. Commas of names become spaces. */
export const spelledMarks = (marks: readonly Mark[]): string | undefined =>
  marks.length === 0
    ? undefined
    : marks
        .toSorted((a, b) => a.at - b.at)
        .map(({ at, name }) => `${Math.round(at)}~${name.replaceAll(",", " ")}`)
        .join(",")
