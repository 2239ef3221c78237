import type { TextFile } from "../workers/protocol.ts"

/** A file that was opened: one in hand, or one that is served beside the page and fetched by whoever reads it. */
export type OpenedFile = File | ServedFile

export interface ServedFile {
  readonly name: string
  /** From the root of the web: workers have another place than the page. */
  readonly url: string
}

/** Its bytes, as they come. Fails with a sentence if it is not there. */
export const contentOf = async (file: OpenedFile): Promise<Response> => {
  if (file instanceof File) return new Response(file)
  const answer = await fetch(file.url)
  if (!answer.ok) throw new Error(`${file.name} cannot be read`)
  return answer
}

/** The text of the first bytes of it. */
export const headOf = async (file: OpenedFile, bytes: number): Promise<string> => {
  const reader = (await contentOf(file)).body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return new TextDecoder().decode(value?.subarray(0, bytes))
}

/** Files as texts, each under its name. */
export const textsOf = (files: readonly OpenedFile[]): Promise<readonly TextFile[]> =>
  Promise.all(files.map(async (file) => ({ name: file.name, text: await (await contentOf(file)).text() })))
