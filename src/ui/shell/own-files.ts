/** Files opened together: a scenario, and files of the user's own that it names. */
import type { TextFile } from "../workers/protocol.ts"

export interface OpenedTogether {
  /** Undefined where what was opened only belongs to the scenario that is shown. */
  readonly scenario: TextFile | undefined
  readonly own: readonly TextFile[]
}

const isYaml = ({ name }: { readonly name: string }): boolean => /\.ya?ml$/i.test(name)

/** Last part of a path: what files are found by, since a file that was dropped has lost its folder. */
export const baseName = (path: string): string => path.split("/").at(-1)!

/** Whether these files are for What-if: a scenario is among them, or all belong to the one that is shown, whose text this is. */
export const isScenario = (files: readonly { readonly name: string }[], shown: string | undefined): boolean =>
  files.some(isYaml) || belongs(files, shown)

const belongs = (files: readonly { readonly name: string }[], shown: string | undefined): boolean =>
  shown !== undefined && files.every(({ name }) => shown.includes(baseName(name)))

/** The scenario is the first YAML file that no other one names. */
export const openedTogether = (files: readonly TextFile[], shown: string | undefined): OpenedTogether => {
  if (belongs(files, shown)) return { scenario: undefined, own: files }
  const yaml = files.filter(isYaml)
  const named = (one: TextFile): boolean =>
    yaml.some((other) => other !== one && other.text.includes(baseName(one.name)))
  const scenario = yaml.find((one) => !named(one)) ?? yaml[0]
  return { scenario, own: files.filter((one) => one !== scenario) }
}
