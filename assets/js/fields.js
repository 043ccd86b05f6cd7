// Fields: what was typed is marked and kept, copy buttons copy, the reader's time zone is told.
import { say } from './say.js'

const draftKey = (form) => `cf-draft-${form.dataset.cfDraft}`

document.addEventListener('input', ({ target }) => {
  const form = target.closest?.('[data-cf-guard]')
  if (!form) return
  form.dataset.dirty = '1'
  if (form.dataset.cfDraft && target.matches('textarea')) sessionStorage.setItem(draftKey(form), target.value)
})

document.addEventListener('submit', ({ target, submitter }) => {
  if (submitter?.formTarget) return
  delete target.dataset?.dirty
  if (target.dataset?.cfDraft) sessionStorage.removeItem(draftKey(target))
}, true)

function restoreDrafts() {
  for (const form of document.querySelectorAll('[data-cf-draft]')) {
    const kept = sessionStorage.getItem(draftKey(form))
    const field = form.querySelector('textarea')
    if (kept && field && !field.value) {
      field.value = kept
      form.dataset.dirty = '1'
    }
  }
}
document.addEventListener('DOMContentLoaded', restoreDrafts)

addEventListener('beforeunload', (event) => {
  if (document.querySelector('[data-cf-guard][data-dirty]:not([data-cf-draft])')) event.preventDefault()
})

document.addEventListener('click', async ({ target }) => {
  const button = target.closest?.('[data-cf-copy]')
  if (!button) return
  try {
    await navigator.clipboard.writeText(button.dataset.cfCopy)
    say('Copied')
  } catch {
    say('This browser does not let a page copy')
  }
})

// Ctrl+Enter saves a note. Never a money form: there the button is the confirmation.
document.addEventListener('keydown', (event) => {
  const field = event.target
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !field.matches?.('textarea')) return
  if (field.form && !field.form.matches('[data-cf-money]')) field.form.requestSubmit()
})

// Clocks are written by the server, in the zone that the browser names.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (zone && !document.cookie.includes(`cf_zone=${encodeURIComponent(zone)}`)) {
  document.cookie = `cf_zone=${encodeURIComponent(zone)}; Path=/; SameSite=Lax; Max-Age=31536000`
}
