import { builtinModules } from "node:module"
import { defineConfig } from "vitest/config"

// The command line is one file with everything in it: it starts faster, and runs wherever Node does.
export default defineConfig({
  build: {
    ssr: "src/cli/main.ts",
    target: "node20",
    outDir: "dist",
    minify: false,
    rolldownOptions: {
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
          include: ["src/**/*.test.ts"],
          exclude: ["src/**/*.browser.test.ts"],
          testTimeout: 60_000,
          maxWorkers: 2
        }
      }
    ]
  }
})
