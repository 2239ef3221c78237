/** A worker that reads files of traces off the page's thread. */
import { readFile } from "./read-file.ts"

addEventListener(
  "message",
  ({ data }: MessageEvent<File>) => void readFile(data).then((read) => postMessage(read))
)
