/** What the page shows, as it stands in its address: typed, versioned, and the same after a round trip. */

export const SCREENS = ["whatif", "timeline", "compare", "hardware", "sweep"] as const
export type ScreenName = (typeof SCREENS)[number]

/** A field of the scenario and what it is set to, as `planning/override.ts` takes it. */
export interface Change {
  readonly field: string
  readonly value: string | number | boolean
}

export interface PageState {
  readonly screen: ScreenName
  /** The scenario's file name; files that come with vericache by their path below `scenarios/`. */
  readonly file: string
  /** Its text where that is not the file that comes with vericache. */
  readonly text: string | undefined
  /** What sliders and pickers changed, in the order of the fields' first change. */
  readonly changes: readonly Change[]
  /** Whatever else a screen wants to find again: its own names, values as text. */
  readonly view: Readonly<Record<string, string>>
}

export const DEMO = "llama-70b-2xh100-long-context.yaml"

export const START: PageState = { screen: "whatif", file: DEMO, text: undefined, changes: [], view: {} }

/** Of the address; links of earlier versions stay readable. */
const VERSION = "1"
const VIEW = "view."
const SET = "set."

const changed = (text: string): Change["value"] | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? value
      : undefined
  } catch {
    return undefined
  }
}

/** The part of the address from `#` on. */
export const encodeState = ({ screen, file, text, changes, view }: PageState): string => {
  const fields = new URLSearchParams({ v: VERSION })
  if (file !== DEMO) fields.set("file", file)
  if (text !== undefined) fields.set("text", text)
  for (const { field, value } of changes) fields.append(SET + field, JSON.stringify(value))
  for (const key of Object.keys(view).toSorted()) fields.append(VIEW + key, view[key]!)
  return `#/${screen}?${fields.toString()}`
}

/** What an address asks for; what it does not say, or says wrongly, is as at the start. */
export const decodeState = (hash: string): PageState => {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s)
  const fields = new URLSearchParams(query)
  const entries = [...fields]
  return {
    screen: SCREENS.find((name) => name === path) ?? START.screen,
    file: fields.get("file") ?? START.file,
    text: fields.get("text") ?? undefined,
    changes: entries.flatMap(([key, value]) => {
      const to = key.startsWith(SET) ? changed(value) : undefined
      return to === undefined ? [] : [{ field: key.slice(SET.length), value: to }]
    }),
    view: Object.fromEntries(
      entries.flatMap(([key, value]) => (key.startsWith(VIEW) ? [[key.slice(VIEW.length), value]] : []))
    )
  }
}

/** The state with one field of the scenario set; undefined takes the change back. */
export const withChange = (
  state: PageState,
  field: string,
  value: Change["value"] | undefined
): PageState => {
  const at = state.changes.findIndex((change) => change.field === field)
  const rest = state.changes.filter((change) => change.field !== field)
  if (value === undefined) return { ...state, changes: rest }
  return { ...state, changes: rest.toSpliced(at < 0 ? rest.length : at, 0, { field, value }) }
}
