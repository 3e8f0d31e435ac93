import { fileURLToPath } from "node:url"
import { svelte } from "@sveltejs/vite-plugin-svelte"
import tailwindcss from "@tailwindcss/vite"
import { svelteTesting } from "@testing-library/svelte/vite"
import { defineConfig } from "vitest/config"

/** The server that `npm run dev` speaks to. It only takes requests of its own origin. */
const server = process.env["STORM_URL"] ?? "http://127.0.0.1:8080"

export default defineConfig({
  plugins: [tailwindcss(), svelte(), svelteTesting()],
  resolve: { alias: { $lib: fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: ["chrome123", "firefox120", "safari17.5"],
    // Nothing inline: the page's policy forbids `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: server, changeOrigin: true, headers: { origin: server } } } },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"] },
})
