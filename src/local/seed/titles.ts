// Words for names and titles as a Nigerian video service would have them.
import type { Chance } from "./deterministic-hash.ts";

const firstNames = [
  "Adaeze",
  "Adebayo",
  "Aisha",
  "Amaka",
  "Bola",
  "Chidi",
  "Chinedu",
  "Damilola",
  "Ebuka",
  "Efe",
  "Emeka",
  "Fatima",
  "Femi",
  "Folake",
  "Funmi",
  "Gbenga",
  "Halima",
  "Ibrahim",
  "Ifeoma",
  "Ikenna",
  "Jumoke",
  "Kelechi",
  "Kemi",
  "Kunle",
  "Lola",
  "Musa",
  "Ngozi",
  "Nkem",
  "Obinna",
  "Olamide",
  "Osaro",
  "Rukayat",
  "Sade",
  "Segun",
  "Simi",
  "Tari",
  "Tobi",
  "Tunde",
  "Uche",
  "Yemi",
  "Zainab",
  "Kwame",
  "Wanjiru",
  "Thandi",
] as const;

const callings = [
  "Cooks",
  "Explains",
  "on Air",
  "Plays",
  "Builds",
  "Travels",
  "Teaches",
  "Kitchen",
  "Comedy",
  "Sessions",
  "Motors",
  "Fits",
  "Farms",
  "Reviews",
  "Sings",
  "Tech",
  "Stories",
  "Football",
  "Beauty",
  "Money",
] as const;

const places = [
  "Lagos",
  "Abuja",
  "Ibadan",
  "Kano",
  "Enugu",
  "Port Harcourt",
  "Benin City",
  "Calabar",
  "Jos",
  "Abeokuta",
  "Owerri",
  "Accra",
  "Surulere",
  "Yaba",
  "Lekki",
  "Makoko",
  "Badagry",
  "Obudu",
  "Zuma Rock",
  "London",
  "Peckham",
  "Houston",
] as const;

const dishes = [
  "jollof",
  "egusi",
  "suya",
  "moi moi",
  "akara",
  "ofada rice",
  "pepper soup",
  "puff puff",
  "boli",
  "amala",
  "nkwobi",
  "chin chin",
  "zobo",
  "efo riro",
  "banga soup",
  "kilishi",
] as const;

const subjects = [
  "Afrobeats",
  "Nollywood",
  "the Super Eagles",
  "fuel prices",
  "JAMB",
  "NYSC",
  "danfo drivers",
  "okada riders",
  "solar",
  "small business",
  "naira savings",
  "wedding season",
  "harmattan",
  "Eid",
  "Detty December",
  "generator repair",
  "ankara fashion",
  "Premier League",
  "freelancing",
  "real estate",
] as const;

const videoTitles = [
  "How {dish} began",
  "{place} at night",
  "I tried {dish} in {place} for a week",
  "The truth about {subject}",
  "{subject}: what nobody tells you",
  "Cooking {dish} for 100 people",
  "A day in {place}",
  "{place} on ₦5,000 a day",
  "{subject} explained in ten minutes",
  "My mother's {dish}",
  "Is {subject} still worth it?",
  "Street food of {place}",
  "Moving back to {place}",
  "{subject}, one year later",
  "Best {dish} in {place}, ranked",
  "From {place} with love",
] as const;

const liveTitles = [
  "Live from {place}",
  "{subject} Q&A, live",
  "Cooking {dish} together, live",
  "Friday night live: {subject}",
  "{place} market walk, live",
  "Watch along: {subject}",
] as const;

/** A creator's name, such as `Amaka Cooks`. */
export function creatorName(chance: Chance): string {
  return `${chance.pick(firstNames)} ${chance.pick(callings)}`;
}

/** An item's title. */
export function contentTitle(chance: Chance, kind: "video" | "live"): string {
  const words: Record<string, string> = {
    place: chance.pick(places),
    dish: chance.pick(dishes),
    subject: chance.pick(subjects),
  };
  const filled = chance
    .pick(kind === "live" ? liveTitles : videoTitles)
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => words[name] ?? name);
  return filled.charAt(0).toUpperCase() + filled.slice(1);
}
