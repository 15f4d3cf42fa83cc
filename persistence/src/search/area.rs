//! Areas on earth: circles and boxes in WGS 84.

/// The mean radius of the earth in metres (IUGG R1).
const EARTH: f64 = 6_371_008.8;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    pub lat: f64,
    pub lon: f64,
}

impl Spot {
    /// The great-circle distance in metres (haversine).
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        let (lat1, lat2) = (self.lat.to_radians(), other.lat.to_radians());
        let (dlat, dlon) = (lat2 - lat1, (other.lon - self.lon).to_radians());
        let a = (dlat / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (dlon / 2.0).sin().powi(2);
        2.0 * EARTH * a.sqrt().min(1.0).asin()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Area {
    Circle {
        middle: Spot,
        radius: f64,
    },
    /// Between two meridians and two parallels (OGC `bbox`); `west` > `east` crosses the
    /// antimeridian.
    Box {
        west: f64,
        south: f64,
        east: f64,
        north: f64,
    },
}

impl Area {
    /// The latitudes between which it lies.
    pub(super) fn latitudes(&self) -> (f64, f64) {
        match *self {
            Self::Circle { middle, radius } => {
                // A little more, since it is compared with distances that are rounded.
                let reach = (radius / EARTH).to_degrees() + 1e-6;
                (middle.lat - reach, middle.lat + reach)
            }
            Self::Box { south, north, .. } => (south, north),
        }
    }

    #[must_use]
    pub fn holds(&self, spot: Spot) -> bool {
        match *self {
            Self::Circle { middle, radius } => middle.distance(spot) <= radius,
            Self::Box {
                west,
                south,
                east,
                north,
            } => {
                let between = if west <= east {
                    (west..=east).contains(&spot.lon)
                } else {
                    spot.lon >= west || spot.lon <= east
                };
                between && (south..=north).contains(&spot.lat)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KASSEL: Spot = Spot {
        lat: 51.3127,
        lon: 9.4797,
    };
    const BERLIN: Spot = Spot {
        lat: 52.52,
        lon: 13.405,
    };

    #[test]
    fn distances_are_great_circles() {
        let metres = KASSEL.distance(BERLIN);
        assert!((metres - 299_000.0).abs() < 2_000.0, "{metres}");
        assert!(KASSEL.distance(KASSEL) < f64::EPSILON);
        let around = Spot {
            lat: 0.0,
            lon: 179.9,
        }
        .distance(Spot {
            lat: 0.0,
            lon: -179.9,
        });
        assert!((around - 22_239.0).abs() < 5.0, "{around}");
        let poles = Spot {
            lat: 90.0,
            lon: 0.0,
        }
        .distance(Spot {
            lat: -90.0,
            lon: 77.0,
        });
        assert!((poles - EARTH * std::f64::consts::PI).abs() < 1.0);
    }

    #[test]
    fn boxes_may_cross_the_antimeridian() {
        let pacific = Area::Box {
            west: 170.0,
            south: -10.0,
            east: -170.0,
            north: 10.0,
        };
        assert!(pacific.holds(Spot {
            lat: 0.0,
            lon: 180.0
        }));
        assert!(pacific.holds(Spot {
            lat: 0.0,
            lon: -175.0
        }));
        assert!(!pacific.holds(Spot { lat: 0.0, lon: 0.0 }));
        let hesse = Area::Box {
            west: 7.7,
            south: 49.3,
            east: 10.3,
            north: 51.7,
        };
        assert!(hesse.holds(KASSEL) && !hesse.holds(BERLIN));
    }
}
