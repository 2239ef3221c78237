/**
 * The benchmark: `npm run bench`, or only parts of it: `npm run bench -- kernel chat`. `--json` prints the figures for
 * programs. Every part runs in fresh processes, one after another; the same seeds every time.
 */
import { availableParallelism, cpus } from "node:os"
import { parseArgs } from "node:util"
import { chat } from "./chat.ts"
import { inChild } from "./child.ts"
import { memory } from "./memory.ts"
import { plan } from "./plan.ts"
import { pressure } from "./pressure.ts"
import { render, type Section } from "./section.ts"
import { sweep } from "./sweep.ts"
import { vericache } from "./vericache.ts"

const PARTS: Readonly<Record<string, () => Promise<Section>>> = {
  kernel: () => inChild("kernel.ts", []),
  chat,
  vericache,
  pressure,
  memory,
  sweep,
  plan
}

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false } },
  allowPositionals: true
})
const unknown = positionals.find((name) => PARTS[name] === undefined)
if (unknown !== undefined) {
  console.error(`no part is called ${unknown}; there are ${Object.keys(PARTS).join(", ")}`)
  process.exitCode = 2
} else {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    node: process.version
  }
  const sections: Section[] = []
  if (!values.json) console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`)
  for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
    const section = await PARTS[name]!()
    sections.push(section)
    if (!values.json) console.log(render(section))
  }
  if (values.json) {
    const parts = sections.map(({ name, title, rows, notes }) => ({ name, title, rows, notes }))
    console.log(JSON.stringify({ machine, parts }, undefined, 2))
  }
}
