import { chmodSync } from "node:fs"
import { builtinModules } from "node:module"
import { defineConfig } from "vitest/config"

// The command line is one file with everything in it: it starts faster, and runs wherever Node does.
export default defineConfig({
  plugins: [{ name: "executable", writeBundle: () => chmodSync("dist/vericache.js", 0o755) }],
  build: {
    ssr: "src/cli/main.ts",
    target: "node20",
    outDir: "dist",
    minify: false,
    rolldownOptions: {
      // webgpu is native and found at run time; see src/cli/gpu.ts.
      external: [...builtinModules, ...builtinModules.map((name) => `node:${name}`)],
      output: { entryFileNames: "vericache.js", banner: "#!/usr/bin/env node", codeSplitting: false }
    }
  },
  ssr: { noExternal: true },
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["src/**/*.test.ts", "bench/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: ["src/**/*.browser.test.ts"],
          testTimeout: 60_000,
          maxWorkers: 2
        }
      }
    ]
  }
})
