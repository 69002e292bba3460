//! The regions of AWS: a name of the right shape that is none of them is a misspelling. From the partitions in botocore
//! (2026-08); a newer region needs `skip_region_validation` until it stands here.

/// Every region of every partition.
const REGIONS: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Why a name is no region of AWS.
pub(super) fn check(name: &str) -> Result<(), String> {
    if REGIONS.contains(&name) {
        return Ok(());
    }
    let near = REGIONS
        .into_iter()
        .filter(|region| strsim::osa_distance(region, name) <= 2)
        .min_by_key(|region| strsim::osa_distance(region, name));
    let meant = near.map_or_else(String::new, |region| format!("did you mean {region}? Otherwise "));
    Err(format!(
        "{name:?} is no region of AWS. To fix: {meant}use a name such as eu-central-1, or set `aws.skip_region_validation = \
         true` for a region that is newer than this provider, or for a store of your own"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_region_is_told_with_the_one_that_is_meant() {
        for name in REGIONS {
            assert_eq!(check(name), Ok(()));
        }
        for (wrong, meant) in [
            ("eu-centrall-1", "eu-central-1?"),
            ("eu-central-99", "eu-central-1?"),
            ("us-esat-1", "us-east-1?"),
        ] {
            assert!(check(wrong).unwrap_err().contains(meant), "{wrong}");
        }
        for wrong in ["", "local", "US-EAST-1", "us-east", "us-east-1a"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
