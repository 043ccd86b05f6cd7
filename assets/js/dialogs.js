// Native dialogs: opened when something was put into them, emptied when closed, and the focus goes back
// to what opened them, or to the row's link where the row was replaced meanwhile.

let opener = null
const dialogs = () => document.querySelectorAll('dialog.cf-dialog')

document.addEventListener('htmx:before:request', ({ detail }) => {
  const dialog = document.getElementById('dialog')
  if (detail.ctx.target === dialog && !dialog.open) opener = detail.ctx.sourceElement
})

document.addEventListener('htmx:after:swap', () => {
  let closing = false
  for (const dialog of dialogs()) {
    if (dialog.querySelector('[data-cf-close-now]')) {
      closing = dialog.open
      close(dialog)
    } else if (!dialog.open && dialog.childElementCount) dialog.showModal()
    else if (dialog.open) landIn(dialog)
  }
  if (!closing && !document.querySelector('dialog[open]')) land()
})

// Where an answer says that the work goes on; said once.
function land() {
  const place = document.querySelector('[data-cf-land]')
  place?.removeAttribute('data-cf-land')
  place?.focus()
  return Boolean(place)
}

// The next panel of an open dialog: its heading or summary speaks first, unless somebody is typing.
function landIn(dialog) {
  if (dialog.contains(document.activeElement) && document.activeElement !== dialog) return
  ;(dialog.querySelector('[autofocus]') ?? dialog.querySelector('h2'))?.focus()
}

// What opened a dialog; of a row that was replaced its link, elsewhere the same in its region, or that heading.
function placeOf(opener) {
  if (!opener) return null
  const menu = opener.closest('details.cf-menu:not([open])')
  const wanted = menu?.querySelector('summary') ?? opener
  if (wanted.isConnected) return wanted
  const row = opener.closest('[data-cf-row]')
  if (row) return document.querySelector(`#${row.id} a`)
  const href = wanted.getAttribute('href')
  const same = href && document.querySelector(`main a[href="${CSS.escape(href)}"]`)
  if (same && !same.closest('details:not([open])')) return same
  const region = opener.closest('[id^="order-"]')
  return region && document.querySelector(`#${region.id} h2`)
}

function close(dialog) {
  if (dialog.open) dialog.close()
  else dialog.replaceChildren()
}

document.addEventListener('click', ({ target }) => {
  const dialog = target.closest?.('dialog.cf-dialog')
  if (dialog && (target.closest('[data-cf-close]') || target === dialog)) close(dialog)
})

document.addEventListener('close', ({ target }) => {
  if (!target.matches?.('dialog.cf-dialog')) return
  target.replaceChildren()
  if (target.id !== 'dialog') return
  if (land()) {
    opener = null
    return
  }
  const place = placeOf(opener) ?? document.querySelector('main h1')
  if (place && place.tabIndex < 0) place.tabIndex = -1
  place?.focus()
  opener = null
}, true)
