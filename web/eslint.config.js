import js from "@eslint/js"
import svelte from "eslint-plugin-svelte"
import globals from "globals"
import ts from "typescript-eslint"
import svelteConfig from "./svelte.config.js"

export default ts.config(
  { ignores: ["dist", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  svelte.configs.prettier,
  { languageOptions: { globals: globals.browser } },
  { files: ["scripts/**", "*.config.*"], languageOptions: { globals: globals.node } },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig } },
    rules: {
      // Our router is our own; this rule knows SvelteKit's.
      "svelte/no-navigation-without-resolve": "off",
      // The policy of the page forbids style attributes.
      "svelte/no-inline-styles": ["error", { allowTransitions: false }],
      // What a derived value builds and returns whole needs no reactivity of its own.
      "svelte/prefer-svelte-reactivity": "off",
      "svelte/no-at-html-tags": "error",
      "svelte/button-has-type": "error",
    },
  },
  { rules: { "no-console": "error", eqeqeq: "error" } },
)
