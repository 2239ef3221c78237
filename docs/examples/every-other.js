// A compression method of one's own: keeps every other token, and the newest sixteen as they are.
//
//   npx vericache generate "…" --compressor docs/examples/every-other.js
//   npx vericache accept --compressor docs/examples/every-other.js
//
// `compress` is told what it asked for in `needs` (nothing here) and answers which positions stay, for each layer and KV
// head: ascending, below `tailStart`, equally many in the heads of a layer. See src/engine/compressors/compressor.ts.

export default {
  name: "every-other",
  summary: "every other token, and the newest sixteen",
  source: "an example",
  kind: "drop",
  mode: "offline",
  takesKeep: false,
  needs: {},
  compress: ({ tokens, layers, kvHeads }) => {
    const tailStart = Math.max(0, tokens - 16)
    const positions = Uint32Array.from({ length: Math.floor(tailStart / 2) }, (_, i) => 2 * i)
    return {
      tailStart,
      kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => positions)),
      format: { keys: "raw", values: "raw", rotated: false }
    }
  }
}
