/** The address that somebody typed at the door, for the page that they go to next. It is in no address and no storage. */
export const typed = { email: "" }
