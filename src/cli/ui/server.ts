/** Serves the web app of this package, and the file it was opened with, to this machine alone. */
import { createReadStream, existsSync, statSync } from "node:fs"
import { createServer, type Server, type ServerResponse } from "node:http"
import { basename, dirname, extname, join, normalize, relative, resolve, sep } from "node:path"
import { Effect, type Scope } from "effect"
import { Usage } from "../exit.ts"

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm"
}

const LOCAL = "127.0.0.1"

const send = (response: ServerResponse, file: string): void => {
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": statSync(file).size,
    "cache-control": "no-cache"
  })
  createReadStream(file, { highWaterMark: 1 << 20 }).pipe(response)
}

/** A file below a folder; undefined for what would lead out of it. */
const below = (folder: string, path: string): string | undefined => {
  const file = normalize(join(folder, path))
  return file.startsWith(folder + sep) ? file : undefined
}

const seenFrom = (file: string, other: string): string =>
  relative(dirname(resolve(file)), resolve(other))
    .split(sep)
    .join("/")

/**
 * Listens until the scope closes; the address of the page. `file`: served as ./open/NAME, and opened by the page; `own`: files it names,
 * served under their paths as seen from its folder. Port 0: any that is free.
 */
export const serveApp = (
  folder: string,
  port: number,
  file: string | undefined,
  own: readonly string[] = []
): Effect.Effect<string, Usage, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server, Usage>((resume) => {
      const names = file === undefined ? [] : own.map((one) => seenFrom(file, one))
      const opened = new Map(names.map((name, i) => [`/open/${name}`, own[i]!]))
      if (file !== undefined) opened.set(`/open/${basename(file)}`, file)
      const server = createServer((request, response) => {
        let path: string
        try {
          path = decodeURIComponent(new URL(request.url ?? "/", "http://local").pathname)
        } catch {
          response.writeHead(400).end()
          return
        }
        const asked = opened.get(path) ?? below(folder, path === "/" ? "/index.html" : path)
        if (asked === undefined) response.writeHead(404).end()
        else send(response, asked)
      })
      server.on("error", (error) =>
        resume(Effect.fail(new Usage({ problem: `--port ${port}: ${error.message}` })))
      )
      server.listen(port, LOCAL, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      const at = `http://localhost:${typeof address === "object" && address !== null ? address.port : port}/`
      if (file === undefined) return at
      const query = new URLSearchParams({ open: basename(file) })
      for (const one of own) query.append("own", seenFrom(file, one))
      return `${at}?${query.toString()}`
    })
  )
