import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { FLAGS, findChromium } from './scripts/chromium.mjs'

// Finding Chromium may install it: a run that asks for other projects only does not pay for that.
const asked = process.argv.flatMap((word, i, all) =>
  word === '--project' ? [all[i + 1]] : word.startsWith('--project=') ? [word.slice(10)] : [],
)
const needsChromium = asked.length === 0 || asked.some((name) => name === 'browser' || name === 'e2e')
// Workers inherit it, so that the search runs once and every test drives the same browser.
if (needsChromium) process.env.CHROMIUM_PATH = await findChromium()

export default defineConfig({
  test: {
    // The default leaves one core to the watcher; a run has none.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', 'test/e2e/**', 'test/simulation/**'],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'simulation',
          environment: 'node',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Without the list vite finds a dependency in mid-test, prebundles it and reloads the page under the test.
        optimizeDeps: {
          include: [
            '@libp2p/noise',
            '@libp2p/webrtc',
            '@libp2p/websockets',
            '@libp2p/webtransport',
            '@libp2p/yamux',
            '@multiformats/multiaddr',
            '@noble/curves/ed25519.js',
            '@noble/curves/nist.js',
            '@noble/hashes/blake3.js',
            '@noble/hashes/sha2.js',
            '@noble/hashes/sha3.js',
            '@noble/hashes/utils.js',
            '@scure/base',
            'idb',
            'libp2p',
            'micro-packed',
            'react',
            'react-dom/client',
          ],
        },
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath: process.env.CHROMIUM_PATH ?? '', args: FLAGS } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'e2e',
          environment: 'node',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Each starts a chain, a member and a browser: two at once on two cores would only measure each other.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
