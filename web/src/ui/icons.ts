/** Our icons, drawn on 16 by 16 with a 1.5 stroke. */
export const ICONS = {
  search: ["M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0z", "m10.5 10.5 3.5 3.5"],
  copy: ["M5.5 5.5h8v8h-8z", "M10.5 5V2.5h-8v8H5"],
  check: ["m3 8.5 3.2 3.2L13 4.8"],
  down: ["m4.5 6.5 3.5 3.5 3.5-3.5"],
  plus: ["M8 3v10M3 8h10"],
  close: ["m4 4 8 8m0-8-8 8"],
  more: ["M3.5 8h.01M8 8h.01M12.5 8h.01"],
  get: ["M8 2v8.5M4.5 7.5 8 11l3.5-3.5M2.5 14h11"],
  put: ["M8 14V5.5M4.5 8.5 8 5l3.5 3.5M2.5 2h11"],
  folder: ["M1.5 3.5h4.5l1.5 2h7v7.5h-13z"],
  file: ["M3.5 1.5h6l3 3v10h-9z", "M9.5 1.5v3h3"],
  key: ["M8 11a3 3 0 1 1-6 0 3 3 0 0 1 6 0z", "m7.3 8.7 6-6M10.5 5.5l2 2"],
  bucket: ["M2 2.5 4 14h8l2-11.5", "M3 8h10"],
  level: ["M1.5 13.5h13M1.5 9.5c2-4 4-4 6.5 0s4.5 4 6.5 0"],
  log: ["M6 3.5h8M6 8h8M6 12.5h8M2.5 3.5h.01M2.5 8h.01M2.5 12.5h.01"],
  menu: ["M2 4h12M2 8h12M2 12h12"],
} as const

export type IconName = keyof typeof ICONS
