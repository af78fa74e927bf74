// How the app is bundled: everything into dist/, with the content's digest in each asset's name so that assets can be cached for ever. Nothing is inlined,
// because the Content-Security-Policy refuses inline scripts, styles and (except for images) data URLs.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: true,
  },
  // `npm run dev` against a console backend, or against testing/mock_server.mjs, on this port.
  server: { proxy: { '/api': { target: 'http://127.0.0.1:7090', changeOrigin: false } } },
  test: { environment: 'node', testTimeout: 60_000, include: ['src/**/*.test.ts'] },
});
