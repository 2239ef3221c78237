/** A worker that reads files of traces off the page's thread. */
import type { OpenedFile } from "../shell/opened-file.ts"
import { readFile } from "./read-file.ts"

addEventListener(
  "message",
  ({ data }: MessageEvent<OpenedFile>) => void readFile(data).then((read) => postMessage(read))
)
