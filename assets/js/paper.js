// Pages made for paper have one control of their own.
document.addEventListener('click', ({ target }) => {
  if (target.closest?.('[data-cf-print]')) print()
})
