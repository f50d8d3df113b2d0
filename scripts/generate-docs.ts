// `npm run gen`: writes what is generated from the code. With --check: writes nothing, fails when a file is stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openApiDocument } from '../src/http/openapi.ts'
import { configPage } from './docs/config-page.ts'
import { errorsPage } from './docs/errors-page.ts'
import { metricsPage } from './docs/metrics-page.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function version(): string {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { readonly version: string }
  return manifest.version
}

const files: Record<string, string> = {
  'docs/config.md': configPage(),
  'docs/errors.md': errorsPage(),
  'docs/metrics.md': metricsPage(),
  'openapi.json': `${JSON.stringify(openApiDocument({ version: version() }), null, 2)}\n`,
}

for (const [file, content] of Object.entries(files)) {
  const path = `${root}${file}`
  if (existsSync(path) && readFileSync(path, 'utf8') === content) continue
  if (process.argv.includes('--check')) {
    console.error(`${file} is stale: run "npm run gen"`)
    process.exitCode = 1
  } else {
    writeFileSync(path, content)
    console.log(`wrote ${file}`)
  }
}
