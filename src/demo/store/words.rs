//! The words that the demo store's names and texts are made of.

/// A leaf of the category tree, and what its products are called.
#[derive(Debug)]
pub(super) struct Shelf {
    /// The category's id.
    pub(super) id: &'static str,
    /// The category's name.
    pub(super) name: &'static str,
    /// The department that it belongs to.
    pub(super) department: &'static str,
    /// How the SKUs of its products begin.
    pub(super) prefix: &'static str,
    /// Nouns, each with the lowest price in cents.
    pub(super) things: &'static [(&'static str, i64)],
    /// What the things are made of.
    pub(super) materials: &'static [&'static str],
}

/// The roots of the category tree: id and name.
pub(super) const DEPARTMENTS: &[(&str, &str)] =
    &[("home", "Home"), ("work", "Work"), ("outdoors", "Outdoors"), ("play", "Play")];

/// The leaves of the category tree.
pub(super) const SHELVES: &[Shelf] = &[
    Shelf {
        id: "tea",
        name: "Tea & Coffee",
        department: "home",
        prefix: "TEA",
        things: &[
            ("Teapot", 3200),
            ("Mug", 900),
            ("Kettle", 4500),
            ("Tea Caddy", 1400),
            ("Coffee Dripper", 1800),
            ("Milk Jug", 1100),
        ],
        materials: &["Stoneware", "Porcelain", "Enamel", "Copper", "Glass", "Cast Iron"],
    },
    Shelf {
        id: "kitchen",
        name: "Kitchen",
        department: "home",
        prefix: "KIT",
        things: &[
            ("Bread Knife", 2900),
            ("Chopping Board", 2400),
            ("Salad Bowl", 2100),
            ("Pepper Mill", 2600),
            ("Rolling Pin", 1500),
            ("Apron", 1900),
        ],
        materials: &["Beech", "Olive Wood", "Steel", "Walnut", "Linen", "Cherry"],
    },
    Shelf {
        id: "lighting",
        name: "Lighting",
        department: "home",
        prefix: "LIT",
        things: &[
            ("Desk Lamp", 5900),
            ("Pendant Lamp", 8900),
            ("Lantern", 3400),
            ("Reading Light", 4200),
            ("Candle Holder", 1200),
        ],
        materials: &["Brass", "Paper", "Oak", "Opal Glass", "Concrete", "Rattan"],
    },
    Shelf {
        id: "textiles",
        name: "Textiles",
        department: "home",
        prefix: "TEX",
        things: &[
            ("Blanket", 6900),
            ("Cushion", 2800),
            ("Bath Towel", 2200),
            ("Rug", 12900),
            ("Tablecloth", 3900),
            ("Curtain", 5400),
        ],
        materials: &["Wool", "Linen", "Cotton", "Alpaca", "Hemp", "Waffle"],
    },
    Shelf {
        id: "desk",
        name: "Desk",
        department: "work",
        prefix: "DSK",
        things: &[
            ("Pen Tray", 1600),
            ("Bookend", 2300),
            ("Monitor Stand", 5200),
            ("Letter Opener", 1700),
            ("Desk Clock", 3800),
        ],
        materials: &["Ash", "Leather", "Aluminium", "Cork", "Walnut", "Slate"],
    },
    Shelf {
        id: "paper",
        name: "Paper & Pens",
        department: "work",
        prefix: "PAP",
        things: &[
            ("Notebook", 1100),
            ("Fountain Pen", 4800),
            ("Sketchbook", 1500),
            ("Pencil Set", 900),
            ("Calendar", 1300),
            ("Letter Set", 1000),
        ],
        materials: &["Cloth-bound", "Recycled", "Dotted", "Letterpress", "Cedar", "Brass"],
    },
    Shelf {
        id: "bags",
        name: "Bags",
        department: "work",
        prefix: "BAG",
        things: &[
            ("Backpack", 8900),
            ("Tote", 2900),
            ("Messenger Bag", 7900),
            ("Laptop Sleeve", 3300),
            ("Wash Bag", 2400),
        ],
        materials: &["Canvas", "Waxed Cotton", "Felt", "Leather", "Ripstop", "Denim"],
    },
    Shelf {
        id: "garden",
        name: "Garden",
        department: "outdoors",
        prefix: "GAR",
        things: &[
            ("Watering Can", 2700),
            ("Planter", 1900),
            ("Trowel", 1600),
            ("Bird House", 2300),
            ("Trug", 3100),
            ("Bench", 18900),
        ],
        materials: &["Zinc", "Terracotta", "Cedar", "Willow", "Copper", "Larch"],
    },
    Shelf {
        id: "camping",
        name: "Camping",
        department: "outdoors",
        prefix: "CMP",
        things: &[
            ("Tent", 24900),
            ("Camp Stove", 6900),
            ("Sleeping Bag", 11900),
            ("Flask", 2600),
            ("Hammock", 5900),
            ("Head Torch", 3400),
        ],
        materials: &["Down", "Titanium", "Canvas", "Merino", "Steel", "Feather-light"],
    },
    Shelf {
        id: "bicycle",
        name: "Bicycle",
        department: "outdoors",
        prefix: "BIC",
        things: &[
            ("Bell", 1400),
            ("Saddle", 7400),
            ("Pannier", 6200),
            ("Pump", 2900),
            ("Rear Light", 2200),
            ("Handlebar Tape", 1700),
        ],
        materials: &["Brass", "Leather", "Waxed", "Steel", "Cork", "Bamboo"],
    },
    Shelf {
        id: "toys",
        name: "Toys",
        department: "play",
        prefix: "TOY",
        things: &[
            ("Train", 2900),
            ("Kite", 2100),
            ("Stacking Tower", 1800),
            ("Spinning Top", 700),
            ("Puzzle", 1600),
            ("Rocking Horse", 15900),
        ],
        materials: &["Maple", "Paper", "Painted", "Beech", "Tin", "Felt"],
    },
    Shelf {
        id: "music",
        name: "Music",
        department: "play",
        prefix: "MUS",
        things: &[
            ("Ukulele", 8900),
            ("Tambourine", 2400),
            ("Glockenspiel", 3900),
            ("Music Stand", 4100),
            ("Metronome", 3600),
            ("Kalimba", 3200),
        ],
        materials: &["Mahogany", "Spruce", "Birch", "Brass", "Walnut", "Bamboo"],
    },
];

pub(super) const ADJECTIVES: &[&str] = &[
    "Quiet", "Everyday", "Little", "Tall", "Classic", "Nordic", "Slow", "Bright", "Folding", "Round", "Harbour",
    "Morning", "Sunday", "Plain", "Sturdy", "Northern", "Evening", "Travel", "Striped", "Heirloom", "Meadow", "Winter",
];

pub(super) const PLACES: &[&str] = &[
    "a small workshop by the sea",
    "the Black Forest",
    "a family workshop in its third generation",
    "the Yorkshire Dales",
    "a former mill",
    "northern Portugal",
    "a studio of four people",
    "the Jura mountains",
    "Småland",
    "the hills above Florence",
];

pub(super) const PROMISES: &[&str] = &[
    "It gets better with age.",
    "Every part can be replaced.",
    "No two are quite alike.",
    "Made to be repaired, not thrown away.",
    "It comes in a box worth keeping.",
    "Made in small batches.",
    "It will outlive its fashion.",
    "Light enough to take along.",
];

pub(super) const TAGS: &[&str] = &["handmade", "gift", "new", "bestseller", "repairable", "vegan", "limited", "local"];

pub(super) const SELLER_FIRST: &[&str] = &[
    "Harbour",
    "Linden",
    "North Star",
    "Old Mill",
    "Copper",
    "Juniper",
    "Paper Boat",
    "Fern",
    "Seven Hills",
    "Blue Door",
];

pub(super) const SELLER_LAST: &[&str] = &["& Vale", "Workshop", "Trading", "Goods", "& Daughters"];

pub(super) const COUNTRIES: &[&str] = &["PT", "DE", "SE", "GB", "IT", "FR", "DK", "AT", "NL", "IE"];

pub(super) const FIRST_NAMES: &[&str] = &[
    "Ada", "Emil", "Noor", "Tomás", "Ingrid", "Kofi", "Mei", "Luca", "Amara", "Jonas", "Priya", "Oskar", "Leila",
    "Mateo", "Freya", "Yuki", "Sofia", "Bram", "Zofia", "Ravi",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Lindqvist",
    "Okafor",
    "Tanaka",
    "Moreau",
    "Silva",
    "Novak",
    "Brandt",
    "Rossi",
    "Haddad",
    "Murphy",
    "Chen",
    "Larsen",
    "Mendes",
    "Kowalski",
    "Iyer",
    "Dubois",
    "Weber",
    "Costa",
    "Byrne",
    "Sato",
];

pub(super) const STREETS: &[&str] = &[
    "Elm Street",
    "Harbour Road",
    "Mill Lane",
    "Station Road",
    "Linden Avenue",
    "Church Walk",
    "Orchard Close",
    "Canal Side",
];

/// City, postcode and country belong together.
pub(super) const CITIES: &[(&str, &str, &str)] = &[
    ("Porto", "4050-115", "PT"),
    ("Hamburg", "20095", "DE"),
    ("Malmö", "211 20", "SE"),
    ("Leeds", "LS1 4AP", "GB"),
    ("Bologna", "40121", "IT"),
    ("Lyon", "69001", "FR"),
    ("Aarhus", "8000", "DK"),
    ("Graz", "8010", "AT"),
    ("Utrecht", "3511 AB", "NL"),
    ("Galway", "H91 E9YC", "IE"),
];

/// Titles of reviews with one to five stars.
pub(super) const TITLES: [&[&str]; 5] = [
    &["Broke in a week", "Not for me", "Sadly a return"],
    &["Expected more", "Half happy", "Looks better than it works"],
    &["Does its job", "Fine for the price", "Neither here nor there"],
    &["Very good", "Nearly perfect", "Happy with it", "Would buy again"],
    &["A joy to use", "Best I have owned", "Perfect present", "Worth every cent", "In love with it"],
];

/// First sentences of reviews with one to five stars.
pub(super) const VERDICTS: [&[&str]; 5] = [
    &[
        "It came apart after a few days.",
        "The one I got looked nothing like the picture.",
        "I wanted to like it, but it simply does not work.",
    ],
    &[
        "Pretty, but not well finished.",
        "It works, though not as well as the old one did.",
        "Smaller than I thought, and the finish is rough.",
    ],
    &["It does what it says.", "Solid enough, nothing special.", "Good idea, average execution."],
    &["Well made and a pleasure to look at.", "We use it every day.", "Arrived quickly and well packed."],
    &[
        "I have bought three by now.",
        "You feel the care that went into it.",
        "Everybody who visits asks where it is from.",
    ],
];

/// Second sentences, which fit any number of stars.
pub(super) const REMARKS: &[&str] = &[
    "The colour is a little warmer than in the photo.",
    "My mother got one for her birthday.",
    "It is heavier than it looks.",
    "The smell of the wood is gone after a day.",
    "It just fits on the windowsill.",
    "Delivery took four days.",
    "The instructions could be clearer.",
    "It replaced one that I had for ten years.",
    "The dog is not impressed.",
];

/// What sellers answer.
pub(super) const REPLIES: &[&str] = &[
    "Thank you for writing! We pass it on to the workshop.",
    "We are sorry to hear that and have sent you a message.",
    "That made our day.",
    "A spare part is on its way to you.",
];
