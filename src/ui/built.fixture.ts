/** Builds the web app once before the tests that look at it in a browser. */
import { build } from "vite"

export const setup = async (): Promise<void> => {
  await build({ mode: "web", logLevel: "error" })
}
