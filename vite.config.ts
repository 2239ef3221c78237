import { chmodSync } from "node:fs"
import { builtinModules } from "node:module"
import { defineConfig, type ViteUserConfig } from "vitest/config"

/** The command line is one file with everything in it: it starts faster, and runs wherever Node does. */
const commandLine: ViteUserConfig = {
  plugins: [{ name: "executable", writeBundle: () => chmodSync("dist/vericache.js", 0o755) }],
  build: {
    ssr: "src/cli/main.ts",
    target: "node20",
    outDir: "dist",
    // The web app lies in there too.
    emptyOutDir: false,
    minify: false,
    rolldownOptions: {
      // webgpu is native and found at run time; see src/cli/gpu.ts.
      external: [...builtinModules, ...builtinModules.map((name) => `node:${name}`)],
      output: { entryFileNames: "vericache.js", banner: "#!/usr/bin/env node", codeSplitting: false }
    }
  },
  ssr: { noExternal: true }
}

/** The web app: files that any static host serves from any folder. */
const webApp: ViteUserConfig = {
  root: "src/ui",
  base: "./",
  build: { outDir: "../../dist/web", emptyOutDir: true, target: "es2023", assetsInlineLimit: 0 },
  worker: { format: "es" },
  // Scenarios and models are bundled from beside the sources.
  server: { fs: { allow: ["../.."] } }
}

/** Against tests that hang. No test is about how fast the machine is that runs it. */
const PATIENCE = { testTimeout: 900_000, hookTimeout: 900_000 }

const tests: ViteUserConfig = {
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["src/**/*.test.ts", "bench/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: ["src/**/*.browser.test.ts"],
          ...PATIENCE,
          maxWorkers: 2
        }
      },
      {
        test: {
          name: "browser",
          include: ["src/ui/**/*.browser.test.ts"],
          globalSetup: "src/ui/built.fixture.ts",
          ...PATIENCE,
          maxWorkers: 1
        }
      }
    ]
  }
}

export default defineConfig(({ mode }) => (mode === "web" ? webApp : { ...commandLine, ...tests }))
