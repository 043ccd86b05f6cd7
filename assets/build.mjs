// Builds what the browser loads: one stylesheet, one script, one icon sprite and the mark, each with a
// hash of its content in its name, and manifest.json that tells the portal those names. A file over its
// budget (gzipped) stops the build: the budgets are those of the design guide, section 7.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, transform } from 'esbuild'
import { PurgeCSS } from 'purgecss'

const assets = dirname(fileURLToPath(import.meta.url))
const root = resolve(assets, '..')
const portal = join(root, 'src', 'counterfoil', 'portal')
const output = join(portal, 'static')
const browsers = ['chrome125', 'edge125', 'firefox128', 'safari17.5']
const tones = ['neutral', 'info', 'progress', 'success', 'warning', 'unknown', 'danger', 'violet'].map((tone) => `cf-${tone}`)
const budgets = { css: 60 * 1024, js: 45 * 1024, svg: 6 * 1024 }

/** Names on lines of their own; what follows a hash is a comment. */
function names(file) {
  return readFileSync(file, 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean)
}

/** One sprite: a <symbol> for each name in icons.txt, stroked by the page that uses it. */
function sprite() {
  const folder = join(root, 'node_modules', '@tabler', 'icons', 'icons', 'outline')
  const symbols = names(join(assets, 'icons.txt')).map((name) => {
    const drawing = readFileSync(join(folder, `${name}.svg`), 'utf8')
    const shapes = drawing.replace(/^[\s\S]*?<svg[\s\S]*?>/, '').replace('</svg>', '')
      .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, '').replace(/>\s+</g, '><').trim()
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>\n`
}

/** Tabler and our own rules, without those that no template, script or Python word of the portal names. */
async function stylesheet() {
  const tabler = readFileSync(join(root, 'node_modules', '@tabler', 'core', 'dist', 'css', 'tabler.css'), 'utf8')
  const own = readdirSync(join(assets, 'css')).filter((file) => file.endsWith('.css')).sort()
    .map((file) => readFileSync(join(assets, 'css', file), 'utf8'))
  const [kept] = await new PurgeCSS().purge({
    content: [`${portal}/templates/**/*.html`, `${portal}/*.py`, `${assets}/js/*.js`],
    css: [{ raw: [tabler, ...own].join('\n') }],
    keyframes: true,
    variables: true,
    safelist: ['html', 'body', /^htmx-/, ...tones],
  })
  const { code } = await transform(kept.css, { loader: 'css', minify: true, target: browsers, legalComments: 'none' })
  return `/* Tabler 1.6 (MIT, The Tabler Authors), purged; Counterfoil (Apache-2.0). */\n${code}`
}

/** What is printed has a stylesheet of its own, with nothing to purge. */
async function printed() {
  const rules = readFileSync(join(assets, 'paper', 'paper.css'), 'utf8')
  return (await transform(rules, { loader: 'css', minify: true, target: browsers })).code
}

/** htmx, its ptag extension and our own files in one script. */
async function script() {
  const made = await build({
    entryPoints: [join(assets, 'js', 'main.js')], bundle: true, minify: true, write: false, format: 'iife',
    target: browsers, legalComments: 'none',
    banner: { js: '/* htmx 4 (0BSD); Counterfoil (Apache-2.0). */' },
  })
  return made.outputFiles[0].text
}

const files = {
  'portal.css': await stylesheet(),
  'paper.css': await printed(),
  'portal.js': await script(),
  'icons.svg': sprite(),
  'mark.svg': readFileSync(join(assets, 'mark.svg'), 'utf8'),
}
rmSync(output, { recursive: true, force: true })
mkdirSync(output, { recursive: true })
const manifest = {}
let over = false
for (const [name, content] of Object.entries(files)) {
  const [stem, ending] = name.split('.')
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 10)
  const packed = gzipSync(content, { level: 9 }).length
  manifest[name] = `${stem}.${hash}.${ending}`
  writeFileSync(join(output, manifest[name]), content)
  const verdict = packed > budgets[ending] ? `OVER its budget of ${budgets[ending]}` : `of ${budgets[ending]}`
  console.log(`${manifest[name].padEnd(28)} ${String(content.length).padStart(8)} bytes, ${packed} gzipped ${verdict}`)
  over ||= packed > budgets[ending]
}
writeFileSync(join(output, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
if (over) process.exit(1)
